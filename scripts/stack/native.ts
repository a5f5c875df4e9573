import postgres from "postgres";
import { postgresDatabase } from "../../functions/_database/postgres-database.ts";
import { steadyDatabase } from "../../functions/_database/steady-database.ts";
import { readMigrations, stackFile } from "./files.ts";
import { migrate, MigrationRefused } from "./migrate.ts";
import { postgresMigrator } from "./migrators.ts";
import { Sentence } from "./sentence.ts";
import type { Store } from "./store.ts";

/**
 * A Postgres of your own. The login of DATABASE_URL migrates, on a connection that is closed afterwards; everything
 * that runs connects as service_role, and an administrator's call as administrator.
 */
export async function openNative(url: string): Promise<Store> {
  const applied = await migrateNative(url);
  const database = steadyDatabase(postgresDatabase(url));
  return {
    kind: "postgres",
    database,
    applied,
    books: null,
    snapshot: () => Promise.resolve(null),
    close: () => database.close(),
    administer: (name, args) => administerNative(url, name, args),
  };
}

export async function administerNative<T>(
  url: string,
  name: string,
  args?: Record<string, unknown>,
): Promise<T> {
  const database = postgresDatabase(url, { role: "administrator", max: 1 });
  try {
    return await database.call<T>(name, args);
  } finally {
    await database.close();
  }
}

async function migrateNative(url: string): Promise<string[]> {
  const owner = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    const [{ isPlatform }] = await owner.unsafe<{ isPlatform: boolean }[]>(
      `select exists (select from pg_catalog.pg_namespace where nspname = 'auth') as "isPlatform"`,
    );
    // Supabase has it all; a bare Postgres is given the roles and the schema that the migrations expect.
    if (!isPlatform) await owner.unsafe(await stackFile("platform.sql")).simple();
    return await migrate(postgresMigrator(owner), await readMigrations());
  } catch (error) {
    if (error instanceof MigrationRefused) throw new Sentence(`${error.message}.`);
    throw isConnection(error)
      ? new Sentence(`The database of DATABASE_URL does not answer: ${error.message}`)
      : error;
  } finally {
    await owner.end({ timeout: 5 });
  }
}

/** Not there, or the login was refused. */
const isConnection = (error: unknown): error is Error =>
  error instanceof Error && "code" in error &&
  /^(E[A-Z]+|CONNECT_TIMEOUT|CONNECTION_\w+|28\w{3}|3D000|57P03)$/.test(String(error.code));
