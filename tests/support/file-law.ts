import { describe, expect, it } from "vitest";
import { planted, type Tree, treeOf } from "./tree.ts";

export interface FileFault {
  path: string;
  /** The file's text once the fault is in it; a function gets the text as it is. */
  text: string | ((was: string) => string);
  /** The law must name it; an empty list is a near miss, which the law must leave alone. */
  found: string[];
}

/** A law about files: `offenders` names what breaks it. Each fault is planted in a copy of the tree first. */
export function fileLaw(
  name: string,
  places: string[],
  offenders: (tree: Tree) => string[],
  faults: Record<string, FileFault>,
): void {
  describe(name, () => {
    const tree = treeOf(...places);
    const before = offenders(tree);

    it.each(Object.entries(faults))("finds a planted fault: %s", (_, { path, text, found }) => {
      const broken = typeof text === "string" ? text : text(tree.get(path) ?? "");
      expect(broken, "the fault changes the file").not.toBe(tree.get(path));
      const after = offenders(planted(tree, path, broken));
      expect(after.filter((what) => !before.includes(what))).toEqual(found);
    });

    it("holds for the tree as it is", () => {
      expect(before).toEqual([]);
    });
  });
}
