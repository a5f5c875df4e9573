import type { Table } from "../stack/store.ts";

/** A value as JSON can carry it: times as text in UTC, large numbers as text rather than rounded. */
export function plain(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  }
  if (value instanceof Uint8Array) {
    return `\\x${[...value].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }
  if (Array.isArray(value)) return value.map(plain);
  return value ?? null;
}

export const records = ({ columns, rows }: Table): Record<string, unknown>[] =>
  rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, plain(row[i])])));

const widest = 60;

/** One line, without the control characters with which a stored text could write elsewhere on a terminal. */
export function cell(value: unknown): string {
  const read = plain(value);
  const text = read === null ? "NULL" : typeof read === "string" ? read : JSON.stringify(read);
  const line = text.replace(/\s+/g, " ").replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, "�");
  return [...line].length > widest ? `${[...line].slice(0, widest - 1).join("")}…` : line;
}

const isNumber = (value: unknown): boolean =>
  typeof value === "number" || typeof value === "bigint" ||
  (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value));

const length = (text: string): number => [...text].length;

/** Rows under their names, numbers to the right, wide text cut. */
export function tableText({ columns, rows }: Table): string {
  const cells = rows.map((row) => columns.map((_, i) => cell(row[i])));
  const widths = columns.map((name, i) =>
    Math.max(length(cell(name)), ...cells.map((row) => length(row[i])))
  );
  const right = columns.map((_, i) =>
    rows.some((row) => row[i] !== null) && rows.every((row) => row[i] === null || isNumber(row[i]))
  );
  const line = (texts: string[]) =>
    texts.map((text, i) => {
      const space = " ".repeat(widths[i] - length(text));
      return right[i] ? space + text : text + space;
    }).join("  ").trimEnd();
  const count = rows.length === 1 ? "1 row" : `${rows.length} rows`;
  return [
    line(columns.map(cell)),
    widths.map((width) => "-".repeat(width)).join("  "),
    ...cells.map(line),
    `(${count})`,
  ].join("\n");
}

/** The whole result on stdout and nothing else: as a table for people, as JSON for programs. */
export function show(table: Table, json: boolean): void {
  console.log(json ? JSON.stringify(records(table)) : tableText(table));
}

/** Objects that share their keys, shown like rows. */
export function showObjects(objects: object[], columns: string[], json: boolean): void {
  if (json) return console.log(JSON.stringify(objects));
  const rows = objects.map((object) =>
    columns.map((name) => (object as Record<string, unknown>)[name] ?? null)
  );
  console.log(tableText({ columns, rows }));
}
