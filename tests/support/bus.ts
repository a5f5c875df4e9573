import { randomUUID } from "node:crypto";
import type { TestDatabase } from "./database.ts";

/** An event as a reader gets it. */
export interface BusEvent {
  position: string;
  event_id: string;
  event_type: string;
  idempotency_key: string;
  deliveries: number;
}

export interface Batch {
  refused?: string;
  paused?: boolean;
  leased_until?: string;
  lease_token?: string;
  more: boolean;
  events: BusEvent[];
}

export type BusCalls = Pick<TestDatabase, "database" | "owner" | "as">;

/** Facts that nobody has to have done: incidents need no task. Returns their keys. */
export async function tell(db: BusCalls, count: number): Promise<string[]> {
  const keys = Array.from({ length: count }, () => `probe:${randomUUID()}`);
  await db.owner(
    `insert into public.events (type, incident_id, agent, idempotency_key)
     select 'INCIDENT_RAISED', gen_random_uuid(), 'test', k from unnest($1::text[]) with ordinality u(k, n) order by n`,
    [keys],
  );
  return keys;
}

export async function addConsumer(
  db: BusCalls,
  name: string,
  from = "now",
): Promise<{ refused?: string; position?: string }> {
  const [row] = await db.as<{ answer: { refused?: string; position?: string } }>(
    "administrator",
    "select api.add_consumer($1, $2, 'test') as answer",
    [name, from],
  );
  return row.answer;
}

export const read = (db: BusCalls, consumer: string, limit = 100): Promise<Batch> =>
  db.database.call<Batch>("read_events", { p_consumer: consumer, p_limit: limit });

export const ack = (
  db: BusCalls,
  consumer: string,
  batch: Batch,
  handled?: number,
): Promise<{ refused?: string; handled?: number; position?: string }> =>
  db.database.call("ack_events", {
    p_consumer: consumer,
    p_lease_token: batch.lease_token,
    p_handled: handled,
  });

/** Reads to the end, acknowledging each batch, and returns the keys in their order. */
export async function drain(db: BusCalls, consumer: string, limit = 100): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const batch = await read(db, consumer, limit);
    if (batch.events.length === 0) return keys;
    keys.push(...batch.events.map(({ idempotency_key }) => idempotency_key));
    await ack(db, consumer, batch);
  }
}

export interface Lag {
  consumer: string;
  kind: string;
  status: string;
  paused: boolean;
  lag_rows: number | null;
  lag_seconds: number | null;
  handed: number | null;
  skipped: number | null;
  repeats: number | null;
  duplicate_rate: number | null;
}

export async function lagOf(db: BusCalls, consumer: string): Promise<Lag> {
  const rows = await db.database.call<Lag[]>("consumer_lag");
  const row = rows.find((one) => one.consumer === consumer);
  if (!row) throw new Error(`consumer_lag does not name ${consumer}`);
  return row;
}
