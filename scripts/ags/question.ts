import type { PGlite } from "@electric-sql/pglite";
import type { Table } from "../stack/store.ts";

export interface Answer extends Table {
  /** The statement had more rows than were asked for. */
  more: boolean;
}

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
