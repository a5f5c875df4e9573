import type { Drift, JobFact, JobVerdict } from "../facts/job.ts";
import { spoken } from "../truth/judge.ts";
import { ageOf } from "./age.ts";

/** A job is overdue when more than this many of its intervals have gone by. */
export const overdue_after = 1.5;
/** What has no interval is overdue this long after its time. */
const overdue_once_s = 600;
/** So many failures in a row are no accident. */
export const failing_streak = 3;

/** Enabled, paused, stale, failing or drifting, with each drift by its name. */
export function jobState(fact: JobFact, now: Date): JobVerdict {
  const late = lateBy(fact, now);
  const drift: Drift[] = [
    ...fact.desired === "enabled" && fact.runner === "absent"
      ? ["configured, but nothing runs it" as const]
      : [],
    ...fact.desired === "paused" && !fact.paused_reason && !fact.paused_by
      ? ["paused, and nobody noticed" as const]
      : [],
    ...late !== null ? ["overdue" as const] : [],
    ...isFruitless(fact, now) ? ["running without successes" as const] : [],
    ...fact.desired === "absent" && fact.runner === "present"
      ? ["runs, but is not configured" as const]
      : [],
  ];
  return {
    state: stateOf(fact, drift),
    actual: actualOf(fact),
    drift,
    reason: reasonOf(fact, late),
  };
}

function stateOf(fact: JobFact, drift: readonly Drift[]): JobVerdict["state"] {
  const { desired, runner, last_result } = fact;
  const named = drift.filter((one) => one !== "overdue");
  if (named.length > 0) return "drifting";
  if (desired === "paused") return "paused";
  if (last_result === "error") return "failing";
  if (drift.includes("overdue")) return "stale";
  if (desired === "absent") return "unknown";
  return runner === null ? "unknown" : "enabled";
}

function actualOf({ desired, runner, last_run_at }: JobFact): string {
  if (runner === "absent") return "no runner";
  if (desired === "paused") return "paused";
  if (runner === null) return "runner not seen";
  return last_run_at === null ? "waits for its first run" : "running";
}

function reasonOf(fact: JobFact, late: string | null): string | null {
  const said = fact.desired === "paused" ? fact.paused_reason ?? fact.failure : fact.failure;
  return said ?? late ?? fact.paused_reason;
}

/** How late it is, in a sentence; null where it is not, is paused, or nothing says when it should run. */
function lateBy({ desired, every_s, last_run_at, next_run_at, queue }: JobFact, now: Date) {
  if (desired !== "enabled") return null;
  if (queue && queue.overdue > 0) return `${queue.overdue} scheduled tasks are past their time`;
  const since_run_s = ageOf(last_run_at, now);
  if (every_s !== null && since_run_s !== null && since_run_s > overdue_after * every_s) {
    return `last run ${spoken(since_run_s)} ago, meant to run every ${spoken(every_s)}`;
  }
  const past_s = ageOf(next_run_at, now);
  const grace_s = every_s === null ? overdue_once_s : (overdue_after - 1) * every_s;
  return past_s !== null && past_s > grace_s ? `its run was due ${spoken(past_s)} ago` : null;
}

/** It runs, and has not succeeded for longer than one run may take to. */
function isFruitless(fact: JobFact, now: Date): boolean {
  const { desired, runner, last_result, failure_streak, last_success_at, every_s } = fact;
  if (desired !== "enabled" || runner !== "present" || last_result !== "error") return false;
  if ((failure_streak ?? 0) >= failing_streak) return true;
  const age_s = ageOf(last_success_at, now);
  return age_s !== null && every_s !== null && age_s > overdue_after * every_s;
}
