import { relayEvents } from "../../functions/_channels/event-relay.ts";
import type { Redis } from "../../functions/_channels/redis.ts";
import { redisStream } from "../../functions/_channels/redis-stream.ts";
import type { Database } from "../../functions/_database/database.ts";
import { eventReader } from "../../functions/_database/event-reader.ts";
import type { Worker } from "./ticker.ts";

/** Tells the events to Redis, where there is one. Any number of processes may: one of them has the lease. */
export function relayWorker({ database }: { database: Database }, redis: Redis): Worker {
  const deps = { reader: eventReader(database, "redis-relay"), stream: redisStream(redis), redis };
  return {
    name: "redis-relay",
    pass: async () => {
      const { state, relayed } = await relayEvents(deps);
      return state === "refilling" ? 1 : relayed;
    },
    wakes: [],
  };
}
