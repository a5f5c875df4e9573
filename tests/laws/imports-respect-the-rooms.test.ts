import { fileLaw } from "../support/file-law.ts";
import { importsOf, resolved } from "../support/imports.ts";
import type { Tree } from "../support/tree.ts";

const roomOf = (path: string): string | null => /^functions\/([^/]+)\//.exec(path)?.[1] ?? null;

function breach(from: string, to: string): string | null {
  const room = roomOf(from);
  if (room === null) return null;
  if (!to.startsWith("functions/")) {
    if (to.startsWith(".") || /^[a-z_-]+\/.*\.ts$/.test(to)) return "leaves functions/";
    return room === "_domain" && to !== "zod" ? "brings a package into _domain" : null;
  }
  const other = roomOf(to);
  if (other === room || other === "_domain") return null;
  if (room.startsWith("_")) return "enters another room";
  return other?.startsWith("_") ? null : "enters another function";
}

const impure = /\bDeno\.|\bfetch\(|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\brandomUUID\(/;

function offenders(tree: Tree): string[] {
  const found: string[] = [];
  for (const [path, text] of tree) {
    if (!path.endsWith(".ts")) continue;
    for (const imported of importsOf(text)) {
      const what = breach(path, resolved(path, imported));
      if (what) found.push(`${path} ${what}: ${imported}`);
    }
    if (roomOf(path) === "_domain" && impure.test(text)) {
      found.push(`${path} looks at the world: ${impure.exec(text)![0]}`);
    }
    const mayNameDeno = /^functions\/([^_/][^/]*\/index|_edge\/serve[^/]*)\.ts$/.test(path);
    if (!mayNameDeno && /\bDeno\.(?!errors\b)/.test(text)) found.push(`${path} names Deno`);
  }
  return found;
}

fileLaw("rooms import what design allows them, and nothing else", ["functions"], offenders, {
  "an adapter in another adapter's room": {
    path: "functions/_channels/planted.ts",
    text: 'import { call } from "../_database/database.ts";\n',
    found: ["functions/_channels/planted.ts enters another room: ../_database/database.ts"],
  },
  "a type through the wall": {
    path: "functions/_agents/planted.ts",
    text: 'import type {\n  Log,\n} from "../_edge/log.ts";\n',
    found: ["functions/_agents/planted.ts enters another room: ../_edge/log.ts"],
  },
  "a function that imports a function": {
    path: "functions/critic/planted.ts",
    text: 'export { handler } from "../intake/handler.ts";\n',
    found: ["functions/critic/planted.ts enters another function: ../intake/handler.ts"],
  },
  "a way out, which a deploy would not find": {
    path: "functions/intake/planted.ts",
    text: 'const migrate = await import("../../scripts/stack/migrate.ts");\n',
    found: ["functions/intake/planted.ts leaves functions/: ../../scripts/stack/migrate.ts"],
  },
  "a package in the domain": {
    path: "functions/_domain/planted.ts",
    text: 'import { parse } from "yaml";\n',
    found: ["functions/_domain/planted.ts brings a package into _domain: yaml"],
  },
  "a clock in the domain": {
    path: "functions/_domain/planted.ts",
    text: "export const late = () => Date.now();\n",
    found: ["functions/_domain/planted.ts looks at the world: Date.now("],
  },
  "Deno where Node runs too": {
    path: "functions/intake/planted.ts",
    text: 'export const port = Deno.env.get("PORT");\n',
    found: ["functions/intake/planted.ts names Deno"],
  },
  "not a function that uses its rooms": {
    path: "functions/intake/planted.ts",
    text:
      'import type { Database } from "../_database/database.ts";\nimport { z } from "zod";\nimport "./handler.ts";\n',
    found: [],
  },
});
