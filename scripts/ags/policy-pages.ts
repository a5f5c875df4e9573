import type { PGlite } from "@electric-sql/pglite";
import postgres from "postgres";
import { openSnapshot } from "../stack/snapshot.ts";
import { ask, databaseUrl } from "./holder.ts";
import { asCursor } from "./question.ts";

export type Row = Record<string, unknown>;
export const pageRows = 5_000;
const fetchPage = `fetch forward ${pageRows} from answer`;

/** Questions to one state of the database, as its auditor: nothing moves between two of them. */
export interface Reading {
  rows(text: string): Promise<Row[]>;
  /** The rows of a long answer, page by page, none of them kept. */
  pages(text: string, take: (rows: Row[]) => void): Promise<void>;
}

/** Reads on a copy in memory, or in one read-only transaction of DATABASE_URL. */
export async function readAsAuditor<T>(use: (reading: Reading) => Promise<T>): Promise<T> {
  const url = databaseUrl();
  if (url !== null) return await onPostgres(url, use);
  const path = await ask<string>("snapshot", { compression: "none" });
  const dump = new Blob([await Deno.readFile(path)]);
  await Deno.remove(path);
  const pg = await openSnapshot(dump);
  try {
    return await use(await embeddedReading(pg));
  } finally {
    await pg.close();
  }
}

/** The session is the auditor's from here on. */
export async function embeddedReading(pg: PGlite): Promise<Reading> {
  await pg.exec("set session authorization auditor; begin read only");
  return {
    rows: async (text) => (await pg.query<Row>(text)).rows,
    async pages(text, take) {
      await pg.query(asCursor(text));
      for (;;) {
        const { rows } = await pg.query<Row>(fetchPage);
        if (rows.length > 0) take(rows);
        if (rows.length < pageRows) break;
      }
      await pg.exec("close answer");
    },
  };
}

async function onPostgres<T>(url: string, use: (reading: Reading) => Promise<T>): Promise<T> {
  const sql = postgres(url, {
    max: 1,
    connect_timeout: 10,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: "dynamic-ags auditor" },
  });
  try {
    return await sql.begin("isolation level repeatable read read only", async (tx) => {
      await tx.unsafe("set local role auditor");
      return await use({
        rows: async (text) => [...await tx.unsafe(text)],
        pages: async (text, take) => {
          await tx.unsafe(text).cursor(pageRows, (rows) => take([...rows]));
        },
      });
    }) as T;
  } finally {
    await sql.end({ timeout: 5 });
  }
}
