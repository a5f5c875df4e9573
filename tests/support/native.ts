import { createHash, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import postgres, { type Sql } from "postgres";
import { describe } from "vitest";
import type { Database } from "../../functions/_database/database.ts";
import { postgresDatabase } from "../../functions/_database/postgres-database.ts";
import { migrate } from "../../scripts/stack/migrate.ts";
import { postgresMigrator } from "../../scripts/stack/migrators.ts";
import { migrations, platformSql, type TestDatabase, type TestSession } from "./database.ts";

/** A superuser's address on a server where scratch databases may be made and dropped, or null. */
export const nativeUrl: string | null = process.env.DATABASE_URL || null;

/** The same shape as the embedded test database, on a server that takes many sessions at once. */
export interface NativeDatabase extends Omit<TestDatabase, "pg"> {
  /** The superuser's way in, for what sets a platform up. */
  ownerUrl: string;
  /** The login that Supabase's own gateway has: it owns nothing and may become service_role. */
  gatewayUrl: string;
  /** Runs statements as the migrator, then a query, and takes everything back. */
  trial<T>(statements: string, query: string): Promise<T[]>;
  /** One more pool of sessions, as another process would have. */
  connect(max?: number): Database;
}

/** What needs a native PostgreSQL says so when there is none, and is counted as skipped. */
export function onNativePostgres(name: string, body: () => void): void {
  describeUnless(name, missing, body);
}

const missing = nativeUrl === null
  ? "DATABASE_URL gives no server to make scratch databases on"
  : null;

/** What needs an extension of that server's as well, such as pg_cron, which lives in the database of the address. */
export async function onNativeExtension(
  extension: string,
  name: string,
  body: () => void,
): Promise<void> {
  describeUnless(name, missing ?? await lackOf(extension), body);
}

async function lackOf(extension: string): Promise<string | null> {
  const sql = session(nativeUrl!, 1);
  const found = await sql`select 1 from pg_extension where extname = ${extension}`;
  await sql.end();
  return found.length === 1 ? null : `the server of DATABASE_URL has no ${extension}`;
}

function describeUnless(name: string, why: string | null, body: () => void): void {
  if (why !== null) console.warn(`Skipped, since ${why}: ${name}`);
  describe.skipIf(why !== null)(name, body);
}

/** A fresh database for one test file, a copy of the migrated template; closing it drops it. */
export const openNativeDatabase = (): Promise<NativeDatabase> => openCopy("migrated", migrateFully);

/** The platform with a schema of the test's own on it, made by the migrator. */
export const openNativeSchema = (text: string): Promise<NativeDatabase> =>
  openCopy(`schema:${text}`, async (sql) => void await sql.unsafe(text).simple());

type Prepare = (sql: Sql) => Promise<void>;

/** One session of the superuser on a fresh copy, for the tests that were written for the one session of PGlite. */
export async function openNativeSession(): Promise<TestSession> {
  const { name, drop } = await copied("migrated", migrateFully);
  const sql = session(urlOf(name), 1);
  // Nobody asks what is left of a scratch database after a power cut. And PGlite compiles nothing: with the sequential
  // scans that its database turns off every small query looks dear, and a compilation took 1.7 seconds.
  await sql.unsafe("set synchronous_commit = off; set jit = off").simple();
  const within = (on: Pick<Sql, "unsafe">) => ({
    query: async <T>(text: string, params: unknown[] = []) => ({
      rows: [...await on.unsafe(text, params as never[]).catch(rethrown)] as T[],
    }),
    exec: (text: string) => on.unsafe(text).simple().catch(rethrown),
  });
  return {
    ...within(sql),
    async transaction(run) {
      const own = await sql.reserve();
      try {
        await own.unsafe("begin");
        let over = false;
        const end = async (how: string) => {
          if (!over) await own.unsafe(how);
          over = true;
        };
        const result = await run({ ...within(own), rollback: () => end("rollback") })
          .catch(async (error) => {
            await end("rollback");
            throw error;
          });
        await end("commit");
        return result;
      } finally {
        own.release();
      }
    },
    async close() {
      await sql.end({ timeout: 5 });
      await drop();
    },
  };
}

/** The same error under the names that PGlite gives its fields. */
function rethrown(error: unknown): never {
  if (!(error instanceof postgres.PostgresError)) throw error;
  const { constraint_name: constraint, table_name: table, column_name: column } = error;
  throw Object.assign(error, { constraint, table, column });
}

async function copied(what: string, prepare: Prepare) {
  const admin = session(urlOf("postgres"), 1);
  const template = await preparedTemplate(admin, what, prepare);
  const name = `ags_test_${randomUUID().replaceAll("-", "")}`;
  await admin.unsafe(`create database ${name} template ${template}`);
  // A copy has the template's contents, not what was granted on the database itself.
  await admin.unsafe(`grant create on database ${name} to migrator`);
  const drop = async () => {
    await admin.unsafe(`drop database ${name} with (force)`);
    await admin.end({ timeout: 5 });
  };
  return { name, drop };
}

async function openCopy(what: string, prepare: Prepare): Promise<NativeDatabase> {
  const { name, drop } = await copied(what, prepare);
  const gatewayUrl = urlOf(name, "authenticator", gatewayPassword());
  const sql = session(urlOf(name), 4);
  const pools: Database[] = [];
  const connect = (max = 10) => {
    const pool = postgresDatabase(gatewayUrl, { max });
    pools.push(pool);
    return pool;
  };
  const as = async <T>(
    role: string,
    text: string,
    params: unknown[] = [],
    claims?: Record<string, unknown>,
  ): Promise<T[]> =>
    await sql.begin(async (tx) => {
      if (claims) {
        await tx.unsafe("select set_config('request.jwt.claims', $1, true)", [
          JSON.stringify(claims),
        ]);
      }
      await tx.unsafe(`set local role ${JSON.stringify(role)}`);
      return [...await tx.unsafe(text, params as never[])];
    }) as T[];
  return {
    ownerUrl: urlOf(name),
    gatewayUrl,
    connect,
    database: connect(),
    as,
    owner: (text, params) => as("migrator", text, params),
    async trial<T>(statements: string, query: string): Promise<T[]> {
      const takenBack = { rows: [] as T[] };
      await sql.begin(async (tx) => {
        await tx.unsafe("set local role migrator");
        await tx.unsafe(statements).simple();
        takenBack.rows = [...await tx.unsafe(query)] as T[];
        throw takenBack;
      }).catch((thrown) => {
        if (thrown !== takenBack) throw thrown;
      });
      return takenBack.rows;
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.close()));
      await sql.end({ timeout: 5 });
      await drop();
    },
  };
}

/** Made once per server and content: test files that start together wait for the first on a lock. */
async function preparedTemplate(admin: Sql, what: string, prepare: Prepare): Promise<string> {
  const hash = createHash("sha256").update(what).update(await platformSql());
  hash.update(await migratorSql());
  for (const { version, name, text } of await migrations()) {
    hash.update(`\0${version}_${name}\0${text}`);
  }
  const template = `ags_template_${hash.digest("hex").slice(0, 24)}`;
  const lock = "hashtextextended('dynamic-ags test template', 0)";
  await admin.unsafe(`select pg_advisory_lock(${lock})`);
  try {
    const known = await admin.unsafe("select 1 from pg_database where datname = $1", [template]);
    if (known.length === 0) await makeTemplate(admin, template, prepare);
  } finally {
    await admin.unsafe(`select pg_advisory_unlock(${lock})`);
  }
  return template;
}

async function makeTemplate(admin: Sql, template: string, prepare: Prepare): Promise<void> {
  const draft = `${template}_draft`;
  // A run that was killed may have left its half-made template.
  await admin.unsafe(`drop database if exists ${draft} with (force)`);
  await admin.unsafe(`create database ${draft}`);
  const owner = session(urlOf(draft), 1);
  await owner.unsafe(await platformSql()).simple();
  // Supabase lets its customers make this extension; elsewhere that takes a superuser.
  await owner.unsafe("create extension if not exists vector with schema extensions");
  await owner.unsafe(await migratorSql()).simple();
  // Roles outlive databases: where a superuser migrated before, the migrator must be let into what that made.
  const made = await owner.unsafe<{ rolname: string }[]>(
    "select rolname from pg_roles where rolname in ('auditor', 'administrator', 'command_center')",
  );
  for (const { rolname } of made) {
    await owner.unsafe(`grant ${rolname} to migrator with admin option`);
  }
  await owner.unsafe(`alter role authenticator login password '${gatewayPassword()}'`);
  // What a test plants past the guards it plants with the triggers off, which elsewhere takes a superuser.
  await owner.unsafe("grant set on parameter session_replication_role to migrator");
  await owner.end();
  // From here on nobody is a superuser.
  const migrator = session(urlOf(draft), 1, "migrator");
  await prepare(migrator).finally(() => migrator.end());
  await admin.unsafe(`alter database ${draft} rename to ${template}`);
}

const migrateFully = async (sql: Sql): Promise<void> => {
  await migrate(postgresMigrator(sql), await migrations());
};

const migratorSql = (): Promise<string> =>
  readFile(new URL("../../scripts/stack/migrator.sql", import.meta.url), "utf8");

function urlOf(database: string, user?: string, password?: string): string {
  if (nativeUrl === null) throw new Error("DATABASE_URL is not given");
  const url = new URL(nativeUrl);
  url.pathname = `/${database}`;
  if (user) url.username = user;
  if (password) url.password = password;
  return url.href;
}

// The same for all files of a run without being written down; whoever has the server's address may know it.
const gatewayPassword = (): string =>
  createHash("sha256").update(`gateway of ${nativeUrl}`).digest("hex").slice(0, 32);

function session(url: string, max: number, role?: string): Sql {
  return postgres(url, {
    max,
    onnotice: () => {},
    connection: role ? { role } : {},
    // As PGlite has it: JSON parameters arrive as text, and a count is a number.
    types: {
      json: { to: 114, from: [114], serialize: asJson, parse: JSON.parse },
      jsonb: { to: 3802, from: [3802], serialize: asJson, parse: JSON.parse },
      bigint: { to: 20, from: [20], serialize: String, parse: Number },
    },
  }) as unknown as Sql;
}

const asJson = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);
