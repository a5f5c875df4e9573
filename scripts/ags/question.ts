import type { PGlite } from "@electric-sql/pglite";
import { Sentence } from "../stack/sentence.ts";
import type { Table } from "../stack/store.ts";

export interface Answer extends Table {
  /** The statement had more rows than were asked for. */
  more: boolean;
}

const comments = /^(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)+/;

/** What Postgres would only call a syntax error, though it knows the word. */
export function requireQuestion(text: string): void {
  const statement = text.replace(comments, "");
  if (statement === "") throw new Sentence("There is no statement.");
  const [, word] = /^(explain|show)\b/i.exec(statement) ?? [];
  if (word) {
    throw new Sentence(
      `${word} is no question that this command can ask: ask a plain select (for a setting: select current_setting('…')).`,
    );
  }
}

/** A statement that begins with a comment looks like an option; behind a space it does not. */
export const statementFirst = ([command, ...rest]: string[]): string[] =>
  command === "sql"
    ? [
      command,
      ...rest.map((argument) => /^--(\s|[^=\n]*\n)/.test(argument) ? ` ${argument}` : argument),
    ]
    : command === undefined
    ? []
    : [command, ...rest];

// As a cursor the text must be one statement that returns rows: Postgres' own parser refuses everything else, and the
// rest of an endless result is never fetched.
export const asCursor = (text: string): string => `declare answer no scroll cursor for ${text}`;
export const fetchRows = (limit: number): string => `fetch forward ${limit + 1} from answer`;

export const cut = (columns: string[], rows: unknown[][], limit: number): Answer => ({
  columns,
  rows: rows.slice(0, limit),
  more: rows.length > limit,
});

/** On a copy that nobody else uses: its session is the auditor's from here on. */
export async function question(pg: PGlite, text: string, limit: number): Promise<Answer> {
  await pg.exec("set session authorization auditor; begin read only");
  await pg.query(asCursor(text));
  const { fields, rows } = await pg.query<unknown[]>(fetchRows(limit), [], { rowMode: "array" });
  return cut(fields.map(({ name }) => name), rows, limit);
}
