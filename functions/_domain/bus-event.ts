import { z } from "zod";

/** `generation.transaction.seq`: where an event stands in the order in which readers meet the events. */
export const eventPosition = z.string().regex(/^\d{1,9}\.\d{1,18}\.\d{1,18}$/);

/** An event under its wire names, as `api.read_events` hands it out. */
export const busEvent = z.object({
  position: eventPosition,
  event_id: z.string(),
  event_type: z.string(),
  schema_version: z.string(),
  task_id: z.string().nullable(),
  agent: z.string(),
  ts: z.string(),
  payload: z.json(),
  idempotency_key: z.string(),
  seq: z.number(),
  deliveries: z.number(),
});
export type BusEvent = z.infer<typeof busEvent>;

export const eventBatch = z.object({
  consumer: z.string(),
  /** Where the reader stands: everything up to here was answered for. */
  position: eventPosition.optional(),
  paused: z.boolean().optional(),
  leased_until: z.string().optional(),
  lease_token: z.string().optional(),
  events: z.array(busEvent),
  more: z.boolean(),
});
export type EventBatch = z.infer<typeof eventBatch>;

/** A reader of the events under one name; see `api.read_events`, `api.ack_events`, `api.rewind_consumer`. */
export interface EventReader {
  read(limit: number): Promise<EventBatch>;
  /** The first `handled` of the batch; the rest is free at once. Returns whether the lease still held. */
  answer(lease_token: string, handled: number): Promise<boolean>;
  /** Back to a position, or by so many events. Returns where the reader stands now. */
  rewind(to: { position: string } | { back: number }): Promise<string>;
}

/** Smaller than 0: `a` comes before `b`. */
export function comparePositions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(".").map(BigInt));
  for (const [i, part] of left.entries()) {
    if (part !== right[i]) return part < right[i] ? -1 : 1;
  }
  return 0;
}
