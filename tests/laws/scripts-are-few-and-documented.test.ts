import { expect } from "vitest";
import { fileLaw } from "../support/file-law.ts";
import type { Tree } from "../support/tree.ts";

function offenders(tree: Tree): string[] {
  const names = Object.keys(JSON.parse(tree.get("package.json")!).scripts);
  const readme = tree.get("README.md")!;
  const command = (name: string) =>
    ["start", "test"].includes(name) ? `npm ${name}` : `npm run ${name}`;
  return [
    ...names.length > 14 ? [`${names.length} scripts are more than fourteen`] : [],
    ...names.filter((name) => !new RegExp(`^\\|\\s*\`${command(name)}\\b`, "m").test(readme))
      .map((name) => `README.md has no line for ${command(name)}`),
  ];
}

const scripts = (change: (scripts: Record<string, string>) => void) => (was: string): string => {
  const manifest = JSON.parse(was);
  change(manifest.scripts);
  return JSON.stringify(manifest);
};

fileLaw(
  "npm scripts are at most fourteen, each with a line in the README",
  ["package.json", "README.md"],
  offenders,
  {
    "one that nobody explains": {
      path: "package.json",
      text: scripts((all) => {
        delete all.bench;
        delete all.bench;
        all.planted = "true";
      }),
      found: ["README.md has no line for npm run planted"],
    },
    "a fifteenth": {
      path: "package.json",
      text: scripts((all) => {
        const known = Object.keys(all);
        for (const name of known) delete all[name];
        for (let i = 0; i < 15; i++) all[i < known.length ? known[i] : `test:${i}`] = "true";
      }),
      found: expectTooMany(),
    },
  },
);

function expectTooMany(): string[] {
  return expect.arrayContaining(["15 scripts are more than fourteen"]);
}
