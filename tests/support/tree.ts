import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

const notOurs = new Set(["node_modules", ".git", ".local", ".scratch", ".temp", ".branches"]);

/** Project paths with their text; links are not followed, since they lead to what is listed anyway. */
export type Tree = Map<string, string>;

export function treeOf(...places: string[]): Tree {
  const tree: Tree = new Map();
  const visit = (path: string) => {
    if (!statSync(path).isDirectory()) {
      tree.set(relative(root, path), readFileSync(path, "utf8"));
      return;
    }
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (notOurs.has(entry.name) || entry.isSymbolicLink()) continue;
      visit(join(path, entry.name));
    }
  };
  for (const place of places) visit(join(root, place));
  return tree;
}

/** The tree with one more file, or another text for one: how a law about files has its fault planted. */
export const planted = (tree: Tree, path: string, text: string): Tree =>
  new Map([...tree, [path, text]]);

export const textOf = (path: string): string => readFileSync(join(root, path), "utf8");
