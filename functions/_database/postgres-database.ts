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
import { DatabaseUnavailable } from "./trouble.ts";

export interface PostgresOptions {
  /** The role every connection starts with; the login must be a member of it. */
  role?: string;
  max?: number;
  /** False behind a pooler in transaction mode, which cannot keep prepared statements. */
  prepare?: boolean;
  connectSeconds?: number;
  /** How long an answer may take before the call counts as unseen and its connections are given up. */
  answerMs?: number;
  /** Names the connections in the server's own views. */
  applicationName?: string;
}

/** What is under way on connections that were given up may still end within this time. */
const restSeconds = 5;

/**
 * A Postgres of your own, spoken to directly. The role is a startup parameter: a connection that cannot take it does
 * not open, and no statement ever runs as the login itself.
 *
 * A connection that is ended at a bad moment can leave its query without an end in the driver, and itself without use
 * (porsager/postgres 1097, 1193). So an answer is waited for as long as `answerMs`, half a minute unless told; then the call is
 * `unseen`, and later ones go over new connections.
 */
export function postgresDatabase(url: string, options: PostgresOptions = {}): Database {
  const { answerMs = 30_000, prepare = true } = options;
  const open = () =>
    postgres(url, {
      max: options.max ?? 10,
      prepare,
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
  let sql = open();
  let signatures: Signatures = new Map();
  const resting = new Set<Promise<void>>();

  function giveUp(used: typeof sql): void {
    if (sql !== used) return;
    sql = open();
    const rest = used.end({ timeout: restSeconds }).finally(() => resting.delete(rest));
    resting.add(rest);
  }

  async function rowsOf<T>(
    text: string,
    params: (string | null)[] = [],
    prepared = false,
  ): Promise<T[]> {
    const used = sql;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        giveUp(used);
        reject(new DatabaseUnavailable("unseen", "The database did not answer in time."));
      }, answerMs);
    });
    try {
      const answer = used.unsafe<T[] & Record<string, unknown>[]>(text, params, {
        prepare: prepared,
      });
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async call<T>(name: string, args: Record<string, unknown> = {}): Promise<T> {
      refuseOddName(name);
      try {
        if (!signatures.has(name)) {
          signatures = signaturesFrom(await rowsOf<SignatureRow>(signaturesQuery));
        }
        const { text, params } = callStatement(name, args, signatures);
        const [row] = await rowsOf<{ result: T }>(text, params, prepare);
        // A function answers with one row. Where there is none, the driver took the end of a connection for the end of the answer.
        if (row === undefined) {
          throw new DatabaseUnavailable("unseen", "The database's answer did not arrive.");
        }
        return row.result;
      } catch (error) {
        throw raised(error);
      }
    },
    async close() {
      await Promise.all([sql.end({ timeout: restSeconds }), ...resting]);
    },
  };
}
