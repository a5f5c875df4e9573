import { expect } from "vitest";
import { fileLaw } from "../support/file-law.ts";
import type { Tree } from "../support/tree.ts";

function offenders(tree: Tree): string[] {
  const names = Object.keys(JSON.parse(tree.get("package.json")!).scripts);
  const readme = tree.get("README.md")!;
  const command = (name: string) =>
    ["start", "test"].includes(name) ? `npm ${name}` : `npm run ${name}`;
  return [
    ...names.length > 12 ? [`${names.length} scripts are more than twelve`] : [],
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
  "npm scripts are at most twelve, each with a line in the README",
  ["package.json", "README.md"],
  offenders,
  {
    "one that nobody explains": {
      path: "package.json",
      text: scripts((all) => {
        all.planted = "true";
      }),
      found: ["README.md has no line for npm run planted"],
    },
    "a thirteenth": {
      path: "package.json",
      text: scripts((all) => {
        const known = Object.keys(all);
        for (const name of known) delete all[name];
        for (let i = 0; i < 13; i++) all[i < known.length ? known[i] : `test:${i}`] = "true";
      }),
      found: expectMoreThanTwelve(),
    },
  },
);

function expectMoreThanTwelve(): string[] {
  return expect.arrayContaining(["13 scripts are more than twelve"]);
}
