import type { JobFact } from "../../facts/job.ts";
import { judge, spoken } from "../../truth/judge.ts";
import type { Part } from "../part.ts";
import type { CronJob, CronRunner, CronStore } from "./store.ts";

/** A runner that still beats and has ended no turn without an error for so many of its intervals fails as a whole. */
const fruitless_turns = 10;

export function hermesJobs({ profile, jobs, runner }: CronStore, now: Date): Part<JobFact[]> {
  return {
    // A job that has had its last run is no longer scheduled.
    value: jobs.filter(({ state }) => state !== "completed")
      .map((job) => jobFact(profile, job, runner, now)),
    partial: fruitless(runner, now),
  };
}

function jobFact(profile: string, job: CronJob, runner: CronRunner, now: Date): JobFact {
  const paused = !job.enabled || job.state === "paused";
  return {
    id: `${profile}/${job.id}`,
    name: job.name,
    href: null,
    schedule: job.schedule,
    every_s: job.interval_s,
    desired: paused ? "paused" : "enabled",
    runner: presence(runner, now),
    last_run_at: job.last_run_at,
    last_result: job.last_status === "ok" ? "ok" : job.last_status === "error" ? "error" : null,
    // The registry keeps one result; of earlier ones it says nothing.
    last_success_at: job.last_status === "ok" ? job.last_run_at : null,
    next_run_at: paused ? null : job.next_run_at,
    paused_reason: paused ? job.paused_reason : null,
    paused_by: null,
    failure: job.last_error ?? (job.last_delivery_error && `delivery: ${job.last_delivery_error}`),
    failure_streak: job.failure_streak,
  };
}

/** A beat ahead of this clock says nothing about now. */
function presence({ heartbeat_at, interval_s }: CronRunner, now: Date): JobFact["runner"] {
  const { freshness } = judge({ now, observed_at: heartbeat_at, max_age_s: 3 * interval_s });
  if (freshness === "live") return "present";
  return freshness === "degraded" ? null : "absent";
}

function fruitless({ heartbeat_at, last_success_at, interval_s }: CronRunner, now: Date) {
  if (heartbeat_at === null) return null;
  if (last_success_at === null) return "its runner has never ended a turn without an error";
  const age_s = (now.getTime() - Date.parse(last_success_at)) / 1000;
  return age_s > fruitless_turns * interval_s
    ? `its runner has ended no turn without an error for ${spoken(age_s)}`
    : null;
}
