import postgres from "postgres";
import {
  callStatement,
  refuseOddName,
  type SignatureRow,
  type Signatures,
  signaturesFrom,
  signaturesQuery,
} from "./call-statement.ts";
import type { Database } from "./database.ts";
import { raised } from "./raised.ts";

export interface PostgresOptions {
  /** The role every connection starts with; the login must be a member of it. */
  role?: string;
  max?: number;
  /** False behind a pooler in transaction mode, which cannot keep prepared statements. */
  prepare?: boolean;
  connectSeconds?: number;
  /** Names the connections in the server's own views. */
  applicationName?: string;
}

/**
 * A Postgres of your own, spoken to directly. The role is a startup parameter: a connection that cannot take it does
 * not open, and no statement ever runs as the login itself.
 */
export function postgresDatabase(url: string, options: PostgresOptions = {}): Database {
  const sql = postgres(url, {
    max: options.max ?? 10,
    prepare: options.prepare ?? true,
    connect_timeout: options.connectSeconds ?? 10,
    // The driver's own pauses grow to 20 seconds, long after a server that restarted is back.
    backoff: (tries: number) => (0.5 + Math.random() / 2) * Math.min(0.05 * 2 ** tries, 1),
    // Nothing here needs the driver's table of array types, and it would cost a query per connection.
    fetch_types: false,
    onnotice: () => {},
    connection: {
      role: options.role ?? "service_role",
      application_name: options.applicationName ?? "dynamic-ags",
    },
  });
  let signatures: Signatures = new Map();
  return {
    async call<T>(name: string, args: Record<string, unknown> = {}): Promise<T> {
      refuseOddName(name);
      try {
        if (!signatures.has(name)) {
          signatures = signaturesFrom(await sql.unsafe<SignatureRow[]>(signaturesQuery));
        }
        const { text, params } = callStatement(name, args, signatures);
        const rows = await sql.unsafe<{ result: T }[]>(text, params, {
          prepare: options.prepare ?? true,
        });
        return rows[0].result;
      } catch (error) {
        throw raised(error);
      }
    },
    close: () => sql.end({ timeout: 5 }),
  };
}
