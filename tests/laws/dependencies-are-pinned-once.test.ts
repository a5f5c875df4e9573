import { expect } from "vitest";
import { fileLaw } from "../support/file-law.ts";
import { functionsOf, importsOf, packageOf, reach } from "../support/imports.ts";
import type { Tree } from "../support/tree.ts";

const exact = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

function offenders(tree: Tree): string[] {
  const found: string[] = [];
  const manifest = JSON.parse(tree.get("package.json")!);
  const pins: Record<string, string> = { ...manifest.dependencies, ...manifest.devDependencies };
  const lock = JSON.parse(tree.get("package-lock.json")!).packages;
  const locked = { ...lock[""].dependencies, ...lock[""].devDependencies };
  for (const [name, version] of Object.entries(pins)) {
    if (!exact.test(version)) found.push(`package.json: ${name} ${version} is no exact version`);
    if (locked[name] !== version || lock[`node_modules/${name}`]?.version !== version) {
      found.push(`package-lock.json: ${name} is not ${version}`);
    }
  }
  for (const [path, text] of tree) {
    const named = path.endsWith("/deno.json")
      ? Object.values(JSON.parse(text).imports ?? {}) as string[]
      : /\.tsx?$/.test(path)
      ? importsOf(text).filter((imported) => imported.startsWith("npm:"))
      : [];
    for (const imported of named) {
      const { name, version } = packageOf(imported) ?? { name: imported, version: null };
      if (version === null || version !== pins[name]) found.push(`${path}: ${imported}`);
    }
  }
  // A deployed function has its own deno.json and nothing else: each package it reaches is named there.
  for (const name of functionsOf(tree)) {
    const known = JSON.parse(tree.get(`functions/${name}/deno.json`) ?? "{}").imports ?? {};
    for (const imported of reach(tree, `functions/${name}/index.ts`)) {
      if (/^(functions\/|npm:|node:|jsr:)/.test(imported)) continue;
      const { name: wanted } = packageOf(imported) ?? { name: imported };
      if (!(wanted in known) && !(imported in known)) {
        found.push(`functions/${name}/deno.json lacks ${imported}`);
      }
    }
  }
  return found;
}

fileLaw(
  "each dependency has one exact version, everywhere",
  ["package.json", "package-lock.json", "command-center", "functions", "scripts"],
  offenders,
  {
    "a range": {
      path: "package.json",
      text: (was) => was.replace(/"zod": "/, '"zod": "^'),
      found: [
        expect.stringMatching(/^package\.json: zod \^/),
        expect.stringMatching(/^package-lock\.json: zod is not \^/),
        ...Array(6).fill(expect.stringMatching(/deno\.json: npm:zod@/)),
      ] as string[],
    },
    "another version in one function": {
      path: "functions/critic/deno.json",
      text:
        '{"imports":{"@supabase/supabase-js":"npm:@supabase/supabase-js@2.0.0","postgres":"npm:postgres@3.4.9","yaml":"npm:yaml@2.9.1","zod":"npm:zod@4.6.7"}}',
      found: ["functions/critic/deno.json: npm:@supabase/supabase-js@2.0.0"],
    },
    "no version at all": {
      path: "functions/_edge/planted.ts",
      text: 'import { encodeHex } from "npm:deno-std/encoding/hex";\n',
      found: ["functions/_edge/planted.ts: npm:deno-std/encoding/hex"],
    },
    "a package that a function's own deno.json does not have": {
      path: "functions/intake/handler.ts",
      text: (was) => `import { Cron } from "croner";\n${was}`,
      found: ["functions/intake/deno.json lacks croner"],
    },
  },
);
