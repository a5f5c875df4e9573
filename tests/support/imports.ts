import { posix } from "node:path";
import type { Tree } from "./tree.ts";

const specifier =
  /(?:^|[\n;])\s*(?:import|export)\s(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;

/** What a module imports, as written, types included: a type that crosses a wall is a wall with a hole. */
export const importsOf = (text: string): string[] =>
  [...text.matchAll(specifier)].map(([, stated, called]) => stated ?? called);

export const resolved = (from: string, imported: string): string =>
  imported.startsWith(".") ? posix.normalize(posix.join(posix.dirname(from), imported)) : imported;

/** Every module and package that a module reaches. */
export function reach(tree: Tree, entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const imported of importsOf(tree.get(entry) ?? "")) {
    reach(tree, resolved(entry, imported), seen);
  }
  return seen;
}

export const functionsOf = (tree: Tree): string[] =>
  [...tree.keys()].flatMap((path) => /^functions\/([^_/][^/]*)\/index\.ts$/.exec(path)?.[1] ?? []);

/** `npm:@scope/name@1.2.3/path` or `@scope/name/path` as the package's name and, where one is given, version. */
export function packageOf(imported: string): { name: string; version: string | null } | null {
  const match = /^(?:npm:)?((?:@[^/]+\/)?[^/@.][^/@]*)(?:@([^/]+))?(?:\/.*)?$/.exec(imported);
  return match ? { name: match[1], version: match[2] ?? null } : null;
}
