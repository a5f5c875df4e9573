import { describe } from "vitest";
import { openTestDatabase, type TestDatabase } from "./database.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "./native.ts";
import { openGateway } from "./supabase-lite.ts";

/** A migrated database reached over one transport. */
export type Transport = Omit<TestDatabase, "pg">;

/** Runs one suite over every transport there is; the native ones say when they are skipped. */
export function overEveryTransport(suite: (open: () => Promise<Transport>) => void): void {
  describe("embedded", () => {
    suite(openTestDatabase);
  });

  onNativePostgres("postgres.js on a native PostgreSQL", () => {
    suite(openNativeDatabase);
  });

  onNativePostgres("supabase-js through a PostgREST-compatible gateway", () => {
    suite(async () => {
      const native: NativeDatabase = await openNativeDatabase();
      const { database } = await openGateway(native);
      const close = async () => {
        await database.close();
        await native.close();
      };
      return { ...native, database, close };
    });
  });
}
