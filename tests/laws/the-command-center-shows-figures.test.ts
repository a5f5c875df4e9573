import { fileLaw } from "../support/file-law.ts";
import { importsOf, resolved } from "../support/imports.ts";
import type { Tree } from "../support/tree.ts";

const roomOf = (path: string): string | null =>
  /^command-center\/([^/]+)\//.exec(path)?.[1] ?? null;

/** Who may import whom: what judges knows no reader, and a page knows no source and no database. */
const allowed: Record<string, readonly string[]> = {
  truth: [],
  facts: ["truth"],
  projection: ["truth", "facts"],
  sources: ["truth", "facts"],
  platform: ["truth", "facts"],
  views: ["truth", "facts", "projection"],
  html: ["truth", "views"],
  pages: ["truth", "facts", "views", "html"],
};

/** The compiler knows a number from a figure; a figure's word taken out of it is a string like any other. */
const takesItOut = /\.value\b(?!\s*(?:===|!==)\s)/;
/** What ends up in a page unescaped. */
const unescaped = /dangerouslySetInnerHTML|\braw\((?!"<!doctype html>"\))/;

function offenders(tree: Tree): string[] {
  const found: string[] = [];
  for (const [path, text] of tree) {
    const room = roomOf(path);
    if (room === null) continue;
    if (room === "pages" && takesItOut.test(text.replaceAll(/of=\{[^}]*\}|fact=\{[^}]*\}/g, ""))) {
      found.push(`${path} takes a value out of its figure`);
    }
    if (path.endsWith(".tsx") && unescaped.test(text)) found.push(`${path} shows markup as it is`);
    if ((room === "views" || room === "projection") && /\bDate\.now\(|new Date\(\)/.test(text)) {
      found.push(`${path} looks at a clock`);
    }
    const others = allowed[room];
    if (others === undefined) continue;
    for (const imported of importsOf(text)) {
      const other = roomOf(resolved(path, imported));
      if (other !== null && other !== room && !others.includes(other)) {
        found.push(`${path} enters ${other}`);
      }
    }
  }
  return found;
}

fileLaw(
  "a page of the command center shows figures, and its rooms import what they may",
  ["command-center"],
  offenders,
  {
    "a page that takes a word out of a figure": {
      path: "command-center/pages/planted.tsx",
      text: 'export const planted = (of: { value: string | null }) => <p>{of.value ?? ""}</p>;\n',
      found: ["command-center/pages/planted.tsx takes a value out of its figure"],
    },
    "a page that asks the database itself": {
      path: "command-center/pages/planted.tsx",
      text: 'import type { Books } from "../platform/books.ts";\n',
      found: ["command-center/pages/planted.tsx enters platform"],
    },
    "a verdict with a clock of its own": {
      path: "command-center/projection/planted.ts",
      text: "export const late = () => Date.now();\n",
      found: ["command-center/projection/planted.ts looks at a clock"],
    },
    "markup of somebody else": {
      path: "command-center/html/planted.tsx",
      text: "export const planted = (text: string) => <p>{raw(text)}</p>;\n",
      found: ["command-center/html/planted.tsx shows markup as it is"],
    },
    "not a page that asks whether there is a value": {
      path: "command-center/pages/planted.tsx",
      text: "export const planted = (of: { value: null }) => of.value !== null && <p></p>;\n",
      found: [],
    },
  },
);
