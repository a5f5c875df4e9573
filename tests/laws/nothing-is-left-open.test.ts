import { fileLaw } from "../support/file-law.ts";
import type { Tree } from "../support/tree.ts";

const faults: [RegExp, string][] = [
  [
    /\bcatch\s*(\(\w*\))?\s*\{\s*\}|\.catch\(\s*\(\w*\)\s*=>\s*\{\s*\}\s*\)/,
    "swallows an error",
  ],
  [new RegExp(`\\b(TO${"DO"}|FIX${"ME"}|XX${"X"})\\b`), "is unfinished"],
  [new RegExp(`\\b(it|test|describe)\\.(on${"ly"}|to${"do"})\\(`), "leaves tests out"],
  [new RegExp(`\\b(it|test|describe)\\.sk${"ip"}\\(`), "skips a test without a condition"],
];

const offenders = (tree: Tree): string[] =>
  [...tree].flatMap(([path, text]) =>
    /\.(tsx?|mjs|js|sql|sh)$/.test(path)
      ? faults.filter(([fault]) => fault.test(text)).map(([, what]) => `${path} ${what}`)
      : []
  );

fileLaw(
  "nothing is swallowed, left for later or skipped",
  ["command-center", "functions", "scripts", "migrations", "tests"],
  offenders,
  {
    "a silent catch": {
      path: "functions/intake/planted.ts",
      text: `try { parse(); } catch${" "}{}\n`,
      found: ["functions/intake/planted.ts swallows an error"],
    },
    "a promise that fails in silence": {
      path: "scripts/planted.ts",
      text: `await send().catch(() =>${" "}{});\n`,
      found: ["scripts/planted.ts swallows an error"],
    },
    "something for later": {
      path: "scripts/planted.ts",
      text: `// TO${"DO"}: later\n`,
      found: ["scripts/planted.ts is unfinished"],
    },
    "one test alone": {
      path: "tests/planted.test.ts",
      text: `it.on${"ly"}("runs", () => {});\n`,
      found: ["tests/planted.test.ts leaves tests out"],
    },
    "not a catch that answers": {
      path: "scripts/planted.ts",
      text: "await send().catch((error) => log(error));\n",
      found: [],
    },
  },
);
