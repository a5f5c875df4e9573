import { createClient, type SupabaseClientOptions } from "@supabase/supabase-js";
import { type Database, DatabaseError } from "./database.ts";
import { certaintyOf, DatabaseUnavailable } from "./trouble.ts";

const constraintInMessage = /constraint "([^"]+)"/;

/** What PostgREST found itself: no such function or arguments, and a caller who may not. */
const sqlstateOf: Record<string, string> = {
  PGRST202: "42883",
  PGRST203: "42725",
  PGRST106: "3F000",
};

/** PostgREST had no connection to ask with. */
const neverAsked = /^PGRST00[0-3]$/;

export interface SupabaseOptions {
  fetch?: typeof fetch;
  /** Node before 22 has no WebSocket, which supabase-js asks for even where nothing is subscribed. */
  realtime?: SupabaseClientOptions<"api">["realtime"];
}

/**
 * The database through Supabase's Data API, which pools for thousands of short-lived functions.
 * The key makes the caller service_role. PostgREST does not pass the constraint's name on by itself,
 * so it is read from the message.
 */
export function supabaseDatabase(
  url: string,
  secretKey: string,
  options: SupabaseOptions = {},
): Database {
  const client = createClient(url, secretKey, {
    db: { schema: "api" },
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: options.fetch ? { fetch: options.fetch } : {},
    ...(options.realtime ? { realtime: options.realtime } : {}),
  });
  return {
    async call<T>(name: string, args: Record<string, unknown> = {}): Promise<T> {
      const { data, error, status } = await client.rpc(name, args);
      if (error === null) return data as T;
      const code = sqlstateOf[error.code] ?? error.code ?? "";
      // No SQLSTATE: the gateway or PostgREST's own connection failed, or the key was not taken.
      if (!/^[0-9A-Z]{5}$/.test(code) || /^(08...|57P0[1-5]|53300)$/.test(code)) {
        throw new DatabaseUnavailable(
          neverAsked.test(code) ? "not_done" : certaintyOf(code),
          `The database did not answer (${code || status}).`,
        );
      }
      throw new DatabaseError(
        code,
        error.message,
        constraintInMessage.exec(error.message)?.[1] ?? null,
      );
    },
    close: () => Promise.resolve(),
  };
}
