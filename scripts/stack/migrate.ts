/** One file of migrations/: `0001_schemas_and_roles.sql` has version 0001 and the rest as its name. */
export interface Migration {
  version: string;
  name: string;
  text: string;
}

/** The part of a driver that migrating needs: transactions in which several statements run at once. */
export interface Migrator {
  transaction<T>(work: (session: MigratorSession) => Promise<T>): Promise<T>;
}

export interface MigratorSession {
  exec(text: string): Promise<void>;
  rows<T>(text: string, params?: unknown[]): Promise<T[]>;
}

export class MigrationRefused extends Error {
  override name = "MigrationRefused";
}

const fileName = /^(\d+)_([a-z0-9_]+)\.sql$/;

/** The files in the order they run. Anything else in the directory, or a number used twice, is a mistake worth a stop. */
export function migrationsFrom(files: Iterable<{ name: string; text: string }>): Migration[] {
  const migrations = [...files].map(({ name, text }): Migration => {
    const match = fileName.exec(name);
    if (match === null) {
      throw new MigrationRefused(`${name} is not named like 0001_what_it_does.sql`);
    }
    return { version: match[1], name: match[2], text };
  }).sort((a, b) => a.version < b.version ? -1 : a.version > b.version ? 1 : 0);
  migrations.slice(1).forEach(({ version, name }, i) => {
    if (version === migrations[i].version) {
      throw new MigrationRefused(`${version} is used by both ${migrations[i].name} and ${name}`);
    }
  });
  return migrations;
}

// The Supabase CLI's own table, so that either may continue what the other began. The checksum is ours: the CLI
// leaves it null, and what it applied is then not compared.
const record = `
  create schema if not exists supabase_migrations;
  create table if not exists supabase_migrations.schema_migrations (version text primary key, statements text[], name text);
  alter table supabase_migrations.schema_migrations add column if not exists sha256 text;`;

/** Several stacks may start at once on one database; the lock lasts as long as each transaction. */
const lock = "select pg_advisory_xact_lock(hashtextextended('dynamic-ags migrations', 0))";

interface Landed {
  version: string;
  name: string | null;
  sha256: string | null;
}

/**
 * Brings a database up to these migrations, each in its own transaction with its record, and says which ran.
 * Refuses a database that has a landed file in another form or from a newer checkout, before anything changes.
 */
export async function migrate(db: Migrator, migrations: Migration[]): Promise<string[]> {
  const checksums = new Map<string, string>();
  for (const { version, text } of migrations) checksums.set(version, await sha256(text));
  await db.transaction(async (session) => {
    await session.exec(lock);
    await session.exec(record);
    refuseDrift(await landedIn(session), migrations, checksums);
  });
  const applied: string[] = [];
  for (const { version, name, text } of migrations) {
    const ran = await db.transaction(async (session) => {
      await session.exec(lock);
      if ((await landedIn(session)).some((landed) => landed.version === version)) return false;
      try {
        await session.exec(text);
      } catch (error) {
        if (error instanceof Error) error.message = `${version}_${name}.sql: ${error.message}`;
        throw error;
      }
      await session.rows(
        "insert into supabase_migrations.schema_migrations (version, name, statements, sha256) " +
          "values ($1::text, $2::text, array[$3::text], $4::text)",
        [version, name, text, checksums.get(version)],
      );
      return true;
    });
    if (ran) applied.push(version);
  }
  return applied;
}

const landedIn = (session: MigratorSession): Promise<Landed[]> =>
  session.rows(
    "select version, name, sha256 from supabase_migrations.schema_migrations order by version",
  );

function refuseDrift(landed: Landed[], migrations: Migration[], checksums: Map<string, string>) {
  const last = landed.at(-1)?.version ?? "";
  for (const { version, name, sha256 } of landed) {
    const known = checksums.get(version);
    if (known === undefined) {
      throw new MigrationRefused(
        `the database has migration ${version}_${name}, which this checkout lacks; use the checkout that made it, or a newer one`,
      );
    }
    if (sha256 !== null && sha256 !== known) {
      throw new MigrationRefused(
        `${version}_${name} was changed after it ran on this database; a landed file stays as it is, a change is a new file`,
      );
    }
  }
  const late = migrations.find(({ version }) =>
    version < last && !landed.some((row) => row.version === version)
  );
  if (late) {
    throw new MigrationRefused(
      `${late.version}_${late.name} comes before ${last}, which has run on this database; give it a later number`,
    );
  }
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
