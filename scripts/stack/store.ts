import type { Books } from "../../command-center/platform/books.ts";
import type { Database } from "../../functions/_database/database.ts";

/** Rows in the order and with the names that the statement gave, duplicates included. */
export interface Table {
  columns: string[];
  rows: unknown[][];
}

/** The database as the stack and the CLI hold it, whichever it is. */
export interface Store {
  kind: "embedded" | "postgres";
  /** The running role's calls. */
  database: Database;
  /** Calls that only an administrator may make: members, pairing, the active policy. */
  administer<T>(name: string, args?: Record<string, unknown>): Promise<T>;
  /** What the operators' pages are read from; null where they are a process of their own. */
  books: Books | null;
  /** A consistent copy of the whole embedded database; null where Postgres has its own tools for that. */
  snapshot(compression: "none" | "gzip"): Promise<Blob | null>;
  /** Migrations that were applied while opening. */
  applied: string[];
  close(): Promise<void>;
}
