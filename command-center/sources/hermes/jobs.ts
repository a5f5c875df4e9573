import { mask } from "../../../functions/_domain/mask.ts";
import { cronInterval } from "../cron-interval.ts";
import { instantOf } from "../instant.ts";
import type { CronJob } from "./store.ts";
import { job, type WireJob } from "./wire.ts";

/** The jobs that can be understood, and how many cannot. */
export function jobsOf(
  records: readonly unknown[],
  now: Date,
): { jobs: CronJob[]; unreadable: number } {
  const read = records.map((record) => job.safeParse(record));
  const jobs = read.flatMap((result) => result.success ? [jobOf(result.data, now)] : []);
  return { jobs, unreadable: read.length - jobs.length };
}

function jobOf(wire: WireJob, now: Date): CronJob {
  const schedule = typeof wire.schedule === "object" ? wire.schedule : null;
  const plain = typeof wire.schedule === "string" ? wire.schedule : null;
  return {
    id: wire.id,
    name: short(wire.name, 200) ?? wire.id,
    schedule: wire.schedule_display ?? schedule?.display ?? schedule?.expr ?? plain ?? "not said",
    kind: schedule?.kind ?? "unknown",
    interval_s: intervalOf(schedule, wire.timezone ?? null, now),
    // A job without the field runs: that is how its own scheduler reads it.
    enabled: wire.enabled ?? true,
    state: wire.state ?? null,
    paused_at: instantOf(wire.paused_at),
    paused_reason: short(wire.paused_reason, 500),
    created_at: instantOf(wire.created_at),
    next_run_at: instantOf(wire.next_run_at),
    last_run_at: instantOf(wire.last_run_at),
    last_status: wire.last_status ?? null,
    last_error: short(wire.last_error, 500),
    last_delivery_error: short(wire.last_delivery_error, 500),
    failure_streak: wire.failure_streak ?? null,
    model: wire.model ?? null,
    running: isClaim(wire.run_claim) || isClaim(wire.fire_claim),
  };
}

const isClaim = (claim: unknown): boolean => typeof claim === "object" && claim !== null;

/** Another program's words: clipped, and without what looks like a secret. */
const short = (text: string | null | undefined, most: number): string | null =>
  text ? mask(text).slice(0, most) : null;

function intervalOf(
  schedule: Exclude<WireJob["schedule"], string> | undefined,
  zone: string | null,
  now: Date,
): number | null {
  if (!schedule) return null;
  if (schedule.kind === "interval") {
    const seconds = schedule.seconds ?? (schedule.minutes ?? 0) * 60;
    return seconds > 0 ? seconds : null;
  }
  if (schedule.kind === "cron" && schedule.expr) return cronInterval(schedule.expr, zone, now);
  return null;
}
