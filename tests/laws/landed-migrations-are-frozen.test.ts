import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileLaw } from "../support/file-law.ts";
import type { Tree } from "../support/tree.ts";

/**
 * sha256 of every file that some database may hold already. A change is a new file; its line is added here when it
 * lands: `sha256sum migrations/*.sql`.
 */
const landed: Record<string, string> = JSON.parse(
  readFileSync(new URL("landed-migrations.json", import.meta.url), "utf8"),
);

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

function offenders(tree: Tree): string[] {
  return Object.entries(landed).filter(([path, sha]) => {
    const text = tree.get(path);
    return text === undefined || sha256(text) !== sha;
  }).map(([path]) => `${path} has landed: put the change into a new file`);
}

const first = Object.keys(landed)[0];

fileLaw("landed migrations are frozen", ["migrations"], offenders, {
  "a changed file": {
    path: first,
    text: (was) => `${was}-- a last word\n`,
    found: [`${first} has landed: put the change into a new file`],
  },
  "not a new file": {
    path: "migrations/9998_planted.sql",
    text: "select 1;\n",
    found: [],
  },
});
