import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { embeddedBooks } from "../../command-center/platform/embedded-books.ts";
import {
  callStatement,
  type SignatureRow,
  signaturesFrom,
  signaturesQuery,
} from "../../functions/_database/call-statement.ts";
import { embeddedDatabase } from "../../functions/_database/embedded-database.ts";
import { raised } from "../../functions/_database/raised.ts";
import { readMigrations, stackFile } from "./files.ts";
import { migrate, MigrationRefused } from "./migrate.ts";
import { embeddedMigrator } from "./migrators.ts";
import { Sentence } from "./sentence.ts";
import type { Store } from "./store.ts";

/**
 * Opens `DATA_DIR/db`, whose lock the caller holds, and brings it up to the migrations. While a new one is being made
 * a file beside it says so: a start that was killed half way leaves no database but the beginning of one.
 */
export async function openEmbedded(dataDir: string): Promise<Store> {
  const directory = `${dataDir}/db`;
  const unfinished = `${dataDir}/db.unfinished`;
  if (await exists(unfinished)) {
    await Deno.remove(directory, { recursive: true }).catch(unlessMissing);
  }
  const isNew = !await exists(directory);
  if (isNew) await Deno.writeTextFile(unfinished, "");
  const pg = await open(directory);
  try {
    if (isNew) await pg.exec(await stackFile("platform.sql"));
    const applied = await migrate(embeddedMigrator(pg), await readMigrations());
    await pg.exec(await stackFile("embedded.sql"));
    await Deno.remove(unfinished).catch(unlessMissing);
    return await embeddedStore(pg, applied);
  } catch (error) {
    await pg.close();
    throw error instanceof MigrationRefused ? new Sentence(`${error.message}.`) : error;
  }
}

export { openSnapshot } from "./snapshot.ts";

export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function open(directory: string): Promise<PGlite> {
  try {
    return await PGlite.create({ dataDir: directory, extensions: { vector } });
  } catch (error) {
    throw new Sentence(
      `${directory} could not be opened as a database (${
        error instanceof Error ? error.message : error
      }). ` +
        "Restore a backup, or set DATA_DIR to another directory.",
    );
  }
}

export function unlessMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

async function embeddedStore(pg: PGlite, applied: string[]): Promise<Store> {
  const database = await embeddedDatabase(pg);
  return {
    kind: "embedded",
    database,
    applied,
    books: embeddedBooks(pg),
    snapshot: (compression) => pg.dumpDataDir(compression === "gzip" ? "gzip" : "none"),
    close: () => database.close(),
    async administer<T>(name: string, args: Record<string, unknown> = {}): Promise<T> {
      try {
        const { rows } = await pg.query<SignatureRow>(signaturesQuery);
        const { text, params } = callStatement(name, args, signaturesFrom(rows));
        return await pg.transaction(async (tx) => {
          await tx.exec("set local role administrator");
          return (await tx.query<{ result: T }>(text, params)).rows[0].result;
        });
      } catch (error) {
        throw raised(error);
      }
    },
  };
}
