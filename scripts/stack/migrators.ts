import type { PGlite } from "@electric-sql/pglite";
import type { ParameterOrJSON, Sql } from "postgres";
import type { Migrator, MigratorSession } from "./migrate.ts";

export const embeddedMigrator = (pg: PGlite): Migrator => ({
  transaction<T>(work: (session: MigratorSession) => Promise<T>): Promise<T> {
    return pg.transaction((tx) =>
      work({
        exec: async (text) => void await tx.exec(text),
        rows: async <R>(text: string, params: unknown[] = []) =>
          (await tx.query<R>(text, params)).rows,
      })
    );
  },
});

/** Without parameters `unsafe` sends the text as it is, several statements and all. */
export const postgresMigrator = (sql: Sql): Migrator => ({
  async transaction<T>(work: (session: MigratorSession) => Promise<T>): Promise<T> {
    return await sql.begin((tx) =>
      work({
        exec: async (text) => void await tx.unsafe(text).simple(),
        rows: async <R>(text: string, params: unknown[] = []) =>
          [
            ...await tx.unsafe(text, params as ParameterOrJSON<never>[]),
          ] as R[],
      })
    ) as T;
  },
});
