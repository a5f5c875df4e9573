/** One scheduled job, as its scheduler has it: the platform's, pg_cron's, Hermes', Huey's. */
export interface JobFact {
  id: string;
  name: string;
  href: string | null;
  /** How it says its own schedule: "every 5 s", a cron line. */
  schedule: string;
  /** The interval that overdue is measured by; null where the schedule has none (a cron line, once). */
  every_s: number | null;
  /** What the configuration wants. */
  desired: "enabled" | "paused" | "absent";
  /** What runs; null where it cannot be seen. */
  runner: "present" | "absent" | null;
  last_run_at: string | null;
  last_result: "ok" | "error" | null;
  last_success_at: string | null;
  next_run_at: string | null;
  paused_reason: string | null;
  /** Who paused it, where the source keeps that: paused with neither reason nor name went unnoticed. */
  paused_by: string | null;
  failure: string | null;
  /** How often in a row it failed, where the source keeps that. */
  failure_streak?: number | null;
  /** What waits behind it, where it is the consumer of a queue. */
  queue?: { pending: number; scheduled: number; overdue: number } | null;
}

export const jobStates = [
  "enabled",
  "paused",
  "stale",
  "failing",
  "drifting",
  "unknown",
] as const;
export type JobState = typeof jobStates[number];

/** Drift is called by its name. */
export type Drift =
  | "configured, but nothing runs it"
  | "paused, and nobody noticed"
  | "overdue"
  | "running without successes"
  | "runs, but is not configured";

export interface JobVerdict {
  state: JobState;
  /** What the source shows, in words: "running", "paused", "no runner". */
  actual: string;
  drift: readonly Drift[];
  reason: string | null;
}
