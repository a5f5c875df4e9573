import type { Database } from "./database.ts";
import { postgresDatabase } from "./postgres-database.ts";
import { steadyDatabase } from "./steady-database.ts";
import { supabaseDatabase } from "./supabase-database.ts";

/**
 * How a deployed function reaches the database: through the Data API, which pools for any number of isolates, unless
 * DATABASE_URL says otherwise. That address usually is a pooler's, which keeps no prepared statement.
 */
export function deployedDatabase(
  environment: {
    databaseUrl: string | null;
    supabase: { url: string; secretKey: string } | null;
  },
): Database {
  if (environment.databaseUrl !== null) {
    return steadyDatabase(
      postgresDatabase(environment.databaseUrl, { max: 2, prepare: false }),
    );
  }
  if (environment.supabase === null) {
    throw new Error(
      "No database. Set SUPABASE_URL and SUPABASE_SECRET_KEYS (the platform does), or DATABASE_URL.",
    );
  }
  return steadyDatabase(
    supabaseDatabase(environment.supabase.url, environment.supabase.secretKey),
  );
}
