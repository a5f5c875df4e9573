import { blind, type Reader, type Reading } from "../../truth/reading.ts";
import { readArtifact } from "../artifact.ts";
import { instantOf } from "../instant.ts";
import { within } from "../polled.ts";
import { reasonOf } from "../unanswered.ts";
import { type HueyOrigin, type HueyQueue, queueReading } from "./queue.ts";
import { redisLook } from "./redis.ts";
import { sqliteCounts } from "./sqlite.ts";

export interface HueyScope {
  name: string;
  queue: string;
  storage: { kind: "sqlite"; path: string } | { kind: "redis"; url: string };
  heartbeat: { file: string } | { redis_key: string } | null;
  heartbeat_every_s: number;
  timeout_ms: number;
}

const max_heartbeat_bytes = 256;
/** A consumer that missed three beats is not to be counted on. */
const missed_beats = 3;

/** One Huey queue: what waits, what is due, and whether its consumer still beats. */
export function hueyQueue(scope: HueyScope): Reader<HueyQueue> {
  const { name, heartbeat, heartbeat_every_s, timeout_ms } = scope;
  const origin: HueyOrigin = {
    source: `huey:${name}`,
    name,
    heartbeat: heartbeat === null ? "none" : "configured",
    max_age_s: missed_beats * heartbeat_every_s,
  };
  return {
    source: origin.source,
    async read(now, signal) {
      try {
        return await within(
          timeout_ms,
          (late) => look(scope, origin, now, AbortSignal.any([signal, late])),
        );
      } catch (error) {
        const { source, max_age_s } = origin;
        return blind({ source, max_age_s, reason: reasonOf(error) });
      }
    },
  };
}

async function look(
  { queue, storage, heartbeat, timeout_ms }: HueyScope,
  origin: HueyOrigin,
  now: Date,
  signal: AbortSignal,
): Promise<Reading<HueyQueue>> {
  const beaten = heartbeat !== null && "file" in heartbeat
    ? await beat(heartbeat.file, signal)
    : null;
  if (storage.kind === "sqlite") {
    const counts = await sqliteCounts(storage.path, queue, now);
    return queueReading(origin, counts, beaten, now.toISOString(), now);
  }
  const heartbeat_key = heartbeat !== null && "redis_key" in heartbeat ? heartbeat.redis_key : null;
  const at = { url: storage.url, queue, heartbeat_key, connect_timeout_ms: timeout_ms };
  const { counts, heartbeat_at, looked_at, skew } = await redisLook(at, now, signal);
  return queueReading(origin, counts, beaten ?? heartbeat_at, looked_at, now, skew);
}

/** What the heartbeat task wrote into its file; a file that says nothing of a time has none. */
async function beat(path: string, signal: AbortSignal): Promise<string | null> {
  const file = await readArtifact(path, max_heartbeat_bytes, signal);
  return file === null ? null : instantOf(file.text.trim().split(/\s+/)[0]);
}
