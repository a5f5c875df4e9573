import type { Result } from "./run-rows.ts";

const columns: [string, number, (result: Result) => string][] = [
  ["#", 3, ({ id }) => String(id)],
  ["fault", 34, ({ fault }) => fault],
  ["promise", 38, ({ promise }) => promise],
  ["injected", 38, ({ injected, evidence }) => [injected, ...evidence].filter(Boolean).join("; ")],
  ["observed", 46, ({ observed }) => observed],
  ["verdict", 12, ({ verdict, seconds }) => seconds > 0 ? `${verdict} ${seconds} s` : verdict],
];

function folded(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (
    const word of text.split(/\s+/).flatMap((word) =>
      word.match(new RegExp(`.{1,${width}}`, "gu")) ?? []
    )
  ) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The whole of it is in --json. */
const clipped = (text: string): string => text.length > 420 ? `${text.slice(0, 420)} …` : text;

function record(cells: string[]): string {
  const texts = cells.map((cell, i) => folded(clipped(cell), columns[i][1]));
  const height = Math.max(...texts.map((lines) => lines.length));
  return Array.from(
    { length: height },
    (_, y) => texts.map((lines, i) => (lines[y] ?? "").padEnd(columns[i][1])).join(" | ").trimEnd(),
  ).join("\n");
}

const rule = columns.map(([, width]) => "-".repeat(width)).join("-+-");

export const head = `${record(columns.map(([name]) => name))}\n${rule}`;

export const line = (result: Result): string =>
  `${record(columns.map(([, , read]) => read(result)))}\n${rule}`;

export function total(results: readonly Result[]): string {
  const counts = new Map<string, number>();
  for (const { verdict } of results) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const red = results.some(({ verdict }) => verdict === "red" || verdict === "not injected");
  const parts = ["green", "red", "not injected", "not possible here", "pending"]
    .filter((verdict) => counts.has(verdict)).map((verdict) => `${counts.get(verdict)} ${verdict}`);
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  return `${red ? "RED" : "green"}: ${results.length} rows, ${parts.join(", ")}, in ${
    seconds.toFixed(0)
  } s`;
}
