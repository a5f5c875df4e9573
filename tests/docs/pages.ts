import { readdirSync, readFileSync } from "node:fs";

export const root = new URL("../../", import.meta.url);

export const page = (path: string): string => readFileSync(new URL(path, root), "utf8");

/** Every Markdown page of the project, by its path from the root. */
export const pages: string[] = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...(readdirSync(new URL("docs/", root), { recursive: true }) as string[])
    .filter((name) => name.endsWith(".md")).map((name) => `docs/${name.replaceAll("\\", "/")}`),
].sort();

/** The fenced blocks of a language, in order. */
export const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(/^[ ]*```(\w*)\n([^]*?)^[ ]*```$/gm)]
    .filter(([, marked]) => marked === language).map(([, , body]) => body);

/** Rows of the table whose first column is code: its cells, trimmed, the code bare. */
export const codeRows = (text: string): string[][] =>
  text.split("\n").filter((line) => /^\| `[^`]+` \|/.test(line)).map((line) =>
    line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replace(/^`([^`]+)`$/, "$1"))
  );
