import type { BusEvent } from "../_domain/bus-event.ts";
import type { Redis, RedisAnswer } from "./redis.ts";

/** The events as a Redis stream, for readers that cannot reach the database. */
export interface EventStream {
  /** Adds them in order, all or none, and notes the last one's position with them. */
  append(events: readonly BusEvent[]): Promise<RedisAnswer<number>>;
  /** The position that was noted last: null where Redis has forgotten it, or never had one. */
  noted(): Promise<RedisAnswer<string | null>>;
  note(position: string): Promise<RedisAnswer<unknown>>;
}

export interface StreamOptions {
  name?: string;
  /** About so many entries stay; whoever is further behind reads the database. */
  keep?: number;
}

export function redisStream(redis: Redis, options: StreamOptions = {}): EventStream {
  const { name = "dags:events", keep = 100_000 } = options;
  const marker = `${name}:position`;
  return {
    append: (events) =>
      redis.run(async (client) => {
        const batch = client.multi();
        for (const event of events) {
          batch.xAdd(name, "*", fieldsOf(event), {
            TRIM: { strategy: "MAXLEN", strategyModifier: "~", threshold: keep },
          });
        }
        const last = events.at(-1);
        if (last) batch.set(marker, last.position);
        return (await batch.exec()).length;
      }),
    noted: () => redis.run((client) => client.get(marker)),
    note: (position) => redis.run((client) => client.set(marker, position)),
  };
}

/** Flat text fields under the wire names; `event_id` tells copies, `position` is where to go on in the database. */
const fieldsOf = (event: BusEvent): Record<string, string> => ({
  event_id: event.event_id,
  event_type: event.event_type,
  schema_version: event.schema_version,
  task_id: event.task_id ?? "",
  agent: event.agent,
  ts: event.ts,
  idempotency_key: event.idempotency_key,
  position: event.position,
  payload: JSON.stringify(event.payload),
});
