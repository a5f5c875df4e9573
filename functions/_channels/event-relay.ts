import { comparePositions, type EventBatch, type EventReader } from "../_domain/bus-event.ts";
import type { EventStream } from "./redis-stream.ts";

export interface RelayDeps {
  reader: EventReader;
  stream: EventStream;
  redis: { check(): Promise<"up" | "down"> };
  /** Events of one pass. */
  batch?: number;
  /** How many are told again when Redis has lost what it had. */
  refill?: number;
}

export interface RelayPass {
  state: "idle" | "relayed" | "paused" | "elsewhere" | "refilling" | "down";
  relayed: number;
}

const beginning = "0.0.0";

/**
 * One pass: reads a batch under a lease, adds it to the stream, answers for it. Nothing is held open between the two: a
 * process that dies in between leaves a lease, and the batch is told again. Where Redis is away or slow nothing is read.
 */
export async function relayEvents(deps: RelayDeps): Promise<RelayPass> {
  const { reader, stream, batch = 200, refill = 10_000 } = deps;
  if (await deps.redis.check() === "down") return { state: "down", relayed: 0 };
  const noted = await stream.noted();
  if (!noted.ok) return { state: "down", relayed: 0 };
  const read = await reader.read(batch);
  if (read.paused) return { state: "paused", relayed: 0 };
  if (read.leased_until !== undefined) return { state: "elsewhere", relayed: 0 };
  const lost = whatWasLost(read, noted.value, refill);
  if (lost !== null) {
    if (read.lease_token) await reader.answer(read.lease_token, 0);
    const marked = await stream.note(await reader.rewind(lost));
    return { state: marked.ok ? "refilling" : "down", relayed: 0 };
  }
  if (read.events.length === 0 || !read.lease_token) return { state: "idle", relayed: 0 };
  const added = await stream.append(read.events);
  // Not seen to be done is told again: readers know an event by its event_id.
  const held = await reader.answer(read.lease_token, added.ok ? read.events.length : 0);
  if (!added.ok) return { state: "down", relayed: 0 };
  return { state: held ? "relayed" : "elsewhere", relayed: read.events.length };
}

/** Redis notes with each batch how far it has come. A note that is gone or older means that events went with it. */
function whatWasLost(
  { position }: EventBatch,
  noted: string | null,
  refill: number,
): { position: string } | { back: number } | null {
  if (position === undefined || position === beginning) return null;
  if (noted === null || !/^\d{1,9}\.\d{1,18}\.\d{1,18}$/.test(noted)) return { back: refill };
  return comparePositions(noted, position) < 0 ? { position: noted } : null;
}
