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
import { turnstile } from "./turnstile.ts";

/** What this transport asks of PGlite, which is opened (and locked) by whoever starts the stack. */
export interface EmbeddedSession {
  query<T>(text: string, params?: unknown[]): Promise<{ rows: T[] }>;
  exec(text: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Somebody outside waits for the answer to these. */
const atTheDoor = new Set([
  "accept_event",
  "handle_update",
  "prepare_decision",
  "decide",
  "health",
]);

/**
 * The database in this process. PGlite has one session, so its role is set once and each call is one statement:
 * no call can see another's role or settings. Whoever else uses the session does so in a transaction with
 * `set local role`, which ends with it.
 */
export async function embeddedDatabase(
  session: EmbeddedSession,
  role: "service_role" = "service_role",
): Promise<Database> {
  // Nothing analyses tables here, so a plan made while they were empty would scan them for ever (measured while 300
  // alerts were worked off: a plan took 46 ms to record, and 20 ms this way). Every hot statement has its index.
  await session.exec(`set enable_seqscan = off; set role ${role}`);
  const pass = turnstile();
  let signatures: Signatures = new Map();
  return {
    async call<T>(name: string, args: Record<string, unknown> = {}): Promise<T> {
      refuseOddName(name);
      try {
        if (!signatures.has(name)) {
          signatures = signaturesFrom((await session.query<SignatureRow>(signaturesQuery)).rows);
        }
        const { text, params } = callStatement(name, args, signatures);
        return await pass(
          atTheDoor.has(name),
          async () => (await session.query<{ result: T }>(text, params)).rows[0].result,
        );
      } catch (error) {
        throw raised(error);
      }
    },
    close: () => session.close(),
  };
}
