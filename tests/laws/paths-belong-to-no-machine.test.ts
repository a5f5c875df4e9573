import { fileLaw } from "../support/file-law.ts";
import type { Tree } from "../support/tree.ts";

// Written in pieces, so that this file does not break its own law.
const machine = new RegExp(
  ["/home/\\w", "/Users/\\w", "/root/", "/work/", "[A-Z]:\\\\\\\\?\\w"].map((path) =>
    `(^|[\\s"'\`(=:])${path}`
  ).join("|"),
);

const offenders = (tree: Tree): string[] =>
  [...tree].flatMap(([path, text]) =>
    text.split("\n").flatMap((line, i) => machine.test(line) ? [`${path}:${i + 1}`] : [])
  );

fileLaw(
  "no file names a directory of somebody's machine",
  [
    ...[
      "command-center",
      "docs",
      "policies",
      "supabase",
      "functions",
      "migrations",
      "scripts",
      ".ci",
    ],
    ...[".github", "README.md", "package.json", "deno.json", "vitest.config.ts"],
  ],
  offenders,
  {
    "a home directory in the docs": {
      path: "docs/planted.md",
      text: `Run it in ${"/home"}/tom/dynamic-ags.\n`,
      found: ["docs/planted.md:1"],
    },
    "a Windows path": {
      path: "scripts/planted.ts",
      text: `\nconst here = "C:${"\\\\"}Users";\n`,
      found: ["scripts/planted.ts:2"],
    },
    "not an address": {
      path: "docs/planted.md",
      text: `https://example.org${"/home"}/page and T3:${"\\n"}x and ${"/tmp"}/scratch\n`,
      found: [],
    },
  },
);
