import { fileLaw } from "../support/file-law.ts";
import type { Tree } from "../support/tree.ts";

const limit = (path: string): number => /^functions\/[^_/][^/]*\/index\.ts$/.test(path) ? 25 : 300;

const offenders = (tree: Tree): string[] =>
  [...tree].flatMap(([path, text]) => {
    if (!/\.(tsx?|mjs|js|sql|sh)$/.test(path) || path.endsWith(".generated.ts")) return [];
    const lines = text.replace(/\n$/, "").split("\n").length;
    return lines > limit(path) ? [`${path}: ${lines} lines, ${limit(path)} are enough`] : [];
  });

const attic = (tree: Tree): string[] =>
  [...tree.keys()].filter((path) =>
    /(^|\/)(_?shared|utils?|helpers?|common|managers?)(\/|\.ts$|\.mjs$)/.test(path)
  )
    .map((path) => `${path} is an attic`);

fileLaw(
  "an index.ts wires in 25 lines, any other file says one thing in 300, and there is no attic",
  ["command-center", "functions", "migrations", "scripts", "tests"],
  (tree) => [...offenders(tree), ...attic(tree)],
  {
    "an index.ts that does more": {
      path: "functions/intake/index.ts",
      text: "serve();\n".repeat(26),
      found: ["functions/intake/index.ts: 26 lines, 25 are enough"],
    },
    "a second noun": {
      path: "migrations/9999_planted.sql",
      text: "select 1;\n".repeat(301),
      found: ["migrations/9999_planted.sql: 301 lines, 300 are enough"],
    },
    "a page that is two": {
      path: "command-center/pages/planted.tsx",
      text: "<p></p>;\n".repeat(301),
      found: ["command-center/pages/planted.tsx: 301 lines, 300 are enough"],
    },
    "an attic": {
      path: "functions/_edge/utils.ts",
      text: "export const nothing = 0;\n",
      found: ["functions/_edge/utils.ts is an attic"],
    },
    "not a file at its limit": {
      path: "functions/intake/index.ts",
      text: "serve();\n".repeat(25),
      found: [],
    },
  },
);
