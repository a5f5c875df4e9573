import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import type { Database } from "../../functions/_database/database.ts";
import { embeddedDatabase } from "../../functions/_database/embedded-database.ts";
import { migrate, type Migration, migrationsFrom } from "../../scripts/stack/migrate.ts";
import { embeddedMigrator } from "../../scripts/stack/migrators.ts";

const root = new URL("../../", import.meta.url);
const cache = new URL("node_modules/.cache/dynamic-ags/", root);

export const platformSql = (): Promise<string> =>
  readFile(new URL("scripts/stack/platform.sql", root), "utf8");

export async function migrations(): Promise<Migration[]> {
  const directory = new URL("migrations/", root);
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql"));
  return migrationsFrom(
    await Promise.all(names.map(async (name) => ({
      name,
      text: await readFile(new URL(name, directory), "utf8"),
    }))),
  );
}

/** What tests ask of the one session behind a test database: PGlite, or a connection to a PostgreSQL. */
export interface TestTransaction {
  query<T>(text: string, params?: unknown[]): Promise<{ rows: T[] }>;
  exec(text: string): Promise<unknown>;
  /** Ends it here; nothing more runs in it. */
  rollback(): Promise<void>;
}

export interface TestSession extends Omit<TestTransaction, "rollback"> {
  transaction<T>(run: (tx: TestTransaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface TestDatabase<Session extends TestSession = TestSession> {
  /** The session itself; it stands at service_role, as the running stack does. */
  pg: Session;
  database: Database;
  /** Runs one statement as a role, with the claims of a signed-in person where there is one, and forgets both. */
  as<T = Record<string, unknown>>(
    role: string,
    sql: string,
    params?: unknown[],
    claims?: Record<string, unknown>,
  ): Promise<T[]>;
  /** The same as the owner of the tables, for what a test plants or looks at. */
  owner<T = Record<string, unknown>>(sql: string, params?: unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

/**
 * A migrated database of its own for one test file: embedded, or a copy on the server of DATABASE_URL where
 * TEST_DATABASE=native says so. The whole suite means the same on both.
 */
export async function openTestDatabase(): Promise<TestDatabase> {
  if (process.env.TEST_DATABASE !== "native") return await openEmbeddedDatabase();
  const { openNativeSession } = await import("./native.ts");
  return await testDatabase(await openNativeSession(), "migrator");
}

/** The embedded one in any case, for what is about PGlite itself. Migrating takes seconds, loading its image well under one. */
export async function openEmbeddedDatabase(): Promise<TestDatabase<PGlite>> {
  const pg = await PGlite.create({
    loadDataDir: new Blob([await migratedImage()]),
    extensions: { vector },
  });
  return testDatabase(pg);
}

/** The platform alone: for tests of migrating itself. */
export async function openBareDatabase(): Promise<PGlite> {
  const pg = await PGlite.create({ extensions: { vector } });
  await pg.exec(await platformSql());
  return pg;
}

export async function testDatabase<Session extends TestSession>(
  pg: Session,
  owner = "postgres",
): Promise<TestDatabase<Session>> {
  const database = await embeddedDatabase(pg);
  const as: TestDatabase["as"] = <T>(
    role: string,
    sql: string,
    params: unknown[] = [],
    claims?: Record<string, unknown>,
  ) =>
    pg.transaction(async (tx) => {
      if (claims) {
        await tx.query("select set_config('request.jwt.claims', $1, true)", [
          JSON.stringify(claims),
        ]);
      }
      await tx.exec(`set local role ${JSON.stringify(role)}`);
      return (await tx.query<T>(sql, params)).rows;
    });
  return {
    pg,
    database,
    as,
    owner: (sql, params) => as(owner, sql, params),
    close: () => pg.close(),
  };
}

/**
 * Migrated once and kept under the hash of everything that went into it. Test files that start together may both
 * build it; the rename lets the last one win whole.
 */
async function migratedImage(): Promise<Uint8Array<ArrayBuffer>> {
  const files = await migrations();
  const hash = createHash("sha256").update(await platformSql());
  for (const { version, name, text } of files) hash.update(`\0${version}_${name}\0${text}`);
  hash.update(await readFile(new URL("node_modules/@electric-sql/pglite/package.json", root)));
  const image = new URL(`${hash.digest("hex").slice(0, 32)}.tar`, cache);
  const kept = await readFile(image).catch((error) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (kept !== null) return new Uint8Array(kept);
  const pg = await openBareDatabase();
  await migrate(embeddedMigrator(pg), files);
  const dump = new Uint8Array(await (await pg.dumpDataDir("none")).arrayBuffer());
  await pg.close();
  await mkdir(cache, { recursive: true });
  await removeOldImages();
  const draft = new URL(`${image.href}.${process.pid}`);
  await writeFile(draft, dump);
  await rename(draft, image);
  return dump;
}

async function removeOldImages(): Promise<void> {
  for (const name of await readdir(cache)) {
    const file = new URL(name, cache);
    // Another process may tidy up at the same time.
    const found = await stat(file).catch((error) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    if (found && Date.now() - found.mtimeMs > 3_600_000) await rm(file, { force: true });
  }
}
