import { type Reading, seen } from "../../truth/reading.ts";

/** Counts and times alone: what is queued is a pickle, and opening a pickle runs it. */
export interface HueyCounts {
  /** Waiting for a worker. */
  pending: number;
  /** To be queued later. */
  scheduled: number;
  /** Of the scheduled, those whose time has come: a scheduler that lives takes them within a turn. */
  overdue: number;
  next_due_at: string | null;
  oldest_due_at: string | null;
  /** Null where the storage does not keep them countably. */
  results: number | null;
}

export interface HueyQueue extends HueyCounts {
  name: string;
  /** What the consumer's heartbeat task wrote; null where it left none. */
  heartbeat_at: string | null;
  /** Huey keeps no heartbeat of its own: without one that somebody set up, nothing says that a consumer runs. */
  consumer: "alive" | "silent" | "unknown";
}

export interface HueyOrigin {
  source: string;
  name: string;
  heartbeat: "configured" | "none";
  max_age_s: number;
}

/** Without a heartbeat the counts are as good as the look at the storage, and the health behind them is not known: never live. */
export function queueReading(
  { source, name, heartbeat, max_age_s }: HueyOrigin,
  counts: HueyCounts,
  heartbeat_at: string | null,
  looked_at: string,
  now: Date,
  skew: string | null = null,
): Reading<HueyQueue> {
  const missing = heartbeat === "none"
    ? "no heartbeat is configured, so whether a consumer runs is unknown"
    : heartbeat_at === null
    ? "the consumer has left no heartbeat that can be read"
    : null;
  const consumer = heartbeat_at === null
    ? heartbeat === "none" ? "unknown" : "silent"
    : now.getTime() - Date.parse(heartbeat_at) <= max_age_s * 1000
    ? "alive"
    : "silent";
  return seen({
    source,
    now,
    max_age_s,
    observed_at: heartbeat_at ?? looked_at,
    partial: [missing, skew].filter((reason) => reason !== null).join("; ") || null,
    value: { name, ...counts, heartbeat_at, consumer },
  });
}
