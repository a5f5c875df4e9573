import { createHash, randomUUID } from "node:crypto";
import type { PGlite } from "@electric-sql/pglite";
import postgres, { type ParameterOrJSON, type Sql } from "postgres";
import type { Database } from "../../functions/_database/database.ts";
import { postgresDatabase } from "../../functions/_database/postgres-database.ts";
import type { TestDatabase } from "../../tests/support/database.ts";
import { migrations, platformSql } from "../../tests/support/database.ts";
import { household } from "../../tests/support/household.ts";
import type { Session } from "./invariants.ts";
import { migrate } from "../stack/migrate.ts";
import { postgresMigrator } from "../stack/migrators.ts";

// The one that the tests give this login on the same server: the role is the server's, not the database's.
const gatewayPassword = (server: string): string =>
  createHash("sha256").update(`gateway of ${server}`).digest("hex").slice(0, 32);
const asText = (value: unknown) => typeof value === "string" ? value : JSON.stringify(value);

/** A session pool that reads as PGlite does: JSON parameters arrive as text, a count is a number. */
export const sessions = (url: string, max: number, settings: Record<string, string> = {}): Sql =>
  postgres(url, {
    max,
    connect_timeout: 5,
    onnotice: () => {},
    connection: settings,
    types: {
      json: { to: 114, from: [114], serialize: asText, parse: JSON.parse },
      jsonb: { to: 3802, from: [3802], serialize: asText, parse: JSON.parse },
      bigint: { to: 20, from: [20], serialize: String, parse: Number },
    },
  }) as unknown as Sql;

export const urlOf = (
  server: string,
  database: string,
  user?: string,
  password?: string,
): string => {
  const url = new URL(server);
  url.pathname = `/${database}`;
  if (user) url.username = user;
  if (password) url.password = password;
  return url.href;
};

/** A migrated database of one row, with members and a policy in force. The shape is that of the tests' database. */
export class FaultedDatabase implements TestDatabase {
  readonly #sql: Sql;
  readonly #pools: Database[] = [];
  readonly database: Database;
  /** Tasks that a caller was told of, and effects that a receiver saw: what the invariants hold against the rows. */
  readonly acknowledged: string[] = [];
  readonly sink: string[] = [];

  constructor(readonly server: string, readonly name: string) {
    this.#sql = sessions(this.url, 4);
    this.database = this.connect(10);
  }

  get pg(): PGlite {
    throw new Error("a database on a server is no PGlite");
  }

  /** The superuser's way in. */
  get url(): string {
    return urlOf(this.server, this.name);
  }

  /** The login of Supabase's gateway: it owns nothing and may become service_role. */
  get gatewayUrl(): string {
    return urlOf(this.server, this.name, "authenticator", gatewayPassword(this.server));
  }

  /** One more pool of sessions, as another process would have; `url` leads there by another way, such as a proxy. */
  connect(max = 10, url = this.gatewayUrl): Database {
    const pool = postgresDatabase(url, { max, connectSeconds: 5 });
    this.#pools.push(pool);
    return pool;
  }

  /** The same line as another process sees it. */
  through(database: Database): TestDatabase {
    const { as, owner } = this;
    const close = () => database.close();
    return { pg: this.#nowhere(), database, as, owner, close };
  }

  #nowhere(): PGlite {
    return new Proxy({}, { get: () => this.pg }) as PGlite;
  }

  readonly as: TestDatabase["as"] = async <T>(
    role: string,
    text: string,
    params: unknown[] = [],
    claims?: Record<string, unknown>,
  ) => {
    const rows = await this.#sql.begin(async (tx) => {
      if (claims) {
        await tx.unsafe("select set_config('request.jwt.claims', $1, true)", [
          JSON.stringify(claims),
        ]);
      }
      await tx.unsafe(`set local role ${JSON.stringify(role)}`);
      return [...await tx.unsafe(text, params as ParameterOrJSON<never>[])];
    });
    return rows as T[];
  };

  readonly owner: TestDatabase["owner"] = (text, params) => this.as("postgres", text, params);

  async count(from: string, params: unknown[] = []): Promise<number> {
    return (await this.owner<{ n: number }>(`select count(*)::int as n from ${from}`, params))[0].n;
  }

  /** Runs the work as a superuser in one transaction that is taken back. */
  async lookedAt<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const sql = sessions(this.url, 1);
    try {
      await sql.unsafe("begin");
      return await work({
        run: async (
          text,
          params = [],
        ) => [...await sql.unsafe(text, params as ParameterOrJSON<never>[])],
      });
    } finally {
      await sql.end({ timeout: 2 });
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.map((pool) => pool.close()), this.#sql.end({ timeout: 2 })]);
  }
}

/** Makes copies of one migrated and furnished database. */
export class DatabaseMaker {
  #template: Promise<string> | null = null;
  readonly #admin: Sql;

  constructor(readonly server: string) {
    this.#admin = sessions(server, 1);
  }

  async make(): Promise<FaultedDatabase> {
    const template = await (this.#template ??= this.#makeTemplate());
    const name = `ags_fault_${randomUUID().replaceAll("-", "")}`;
    await this.#admin.unsafe(`create database ${name} template ${template}`);
    return new FaultedDatabase(this.server, name);
  }

  /** A database with the platform alone, for what migrates. */
  async makeBare(): Promise<FaultedDatabase> {
    const name = `ags_fault_${randomUUID().replaceAll("-", "")}`;
    await this.#admin.unsafe(`create database ${name}`);
    await this.#platform(name);
    return new FaultedDatabase(this.server, name);
  }

  async drop(database: FaultedDatabase): Promise<void> {
    await database.close();
    await this.#admin.unsafe(`drop database if exists ${database.name} with (force)`);
  }

  async #platform(name: string): Promise<Sql> {
    const sql = sessions(urlOf(this.server, name), 1);
    await sql.unsafe(await platformSql()).simple();
    await sql.unsafe("create extension if not exists vector with schema extensions");
    await sql.unsafe(`alter role authenticator login password '${gatewayPassword(this.server)}'`);
    return sql;
  }

  async #makeTemplate(): Promise<string> {
    const name = `ags_faults_${randomUUID().replaceAll("-", "")}`;
    await this.#admin.unsafe(`create database ${name}`);
    const sql = await this.#platform(name);
    await migrate(postgresMigrator(sql), await migrations());
    await sql.end();
    const first = new FaultedDatabase(this.server, name);
    await household(first);
    await first.close();
    return name;
  }

  async close(): Promise<void> {
    const template = await this.#template;
    if (template) await this.#admin.unsafe(`drop database if exists ${template} with (force)`);
    await this.#admin.end({ timeout: 2 });
  }
}
