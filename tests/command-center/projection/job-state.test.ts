import { describe, expect, it } from "vitest";
import type { JobFact } from "../../../command-center/facts/job.ts";
import { jobState } from "../../../command-center/projection/job-state.ts";

const now = new Date("2026-11-21T12:00:00Z");
const ago = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString();

const job = (more: Partial<JobFact> = {}): JobFact => ({
  id: "reap",
  name: "reap",
  href: null,
  schedule: "every 100 s",
  every_s: 100,
  desired: "enabled",
  runner: "present",
  last_run_at: ago(50),
  last_result: "ok",
  last_success_at: ago(50),
  next_run_at: ago(-50),
  paused_reason: null,
  paused_by: null,
  failure: null,
  ...more,
});

const failed: Partial<JobFact> = { last_result: "error", failure: "no route" };
const paused: Partial<JobFact> = { desired: "paused", next_run_at: null };

describe("a job is", () => {
  it.each<[string, string, Partial<JobFact>, readonly string[]]>([
    ["enabled", "it runs in time", {}, []],
    ["enabled", "it has never run, and is not due", { last_run_at: null, last_result: null }, []],
    ["enabled", "it ran one and a half intervals ago", { last_run_at: ago(150) }, []],
    ["stale", "it ran longer ago than that", { last_run_at: ago(151) }, ["overdue"]],
    ["stale", "its next run is long past", { last_run_at: null, next_run_at: ago(60) }, [
      "overdue",
    ]],
    ["stale", "it was to run once", { every_s: null, next_run_at: ago(700) }, ["overdue"]],
    ["enabled", "a cron line is a moment late", { every_s: null, next_run_at: ago(500) }, []],
    ["failing", "its last run failed", { ...failed, last_success_at: ago(120) }, []],
    ["drifting", "it has long not succeeded", { ...failed, last_success_at: ago(151) }, [
      "running without successes",
    ]],
    ["drifting", "it failed three times in a row", { ...failed, failure_streak: 3 }, [
      "running without successes",
    ]],
    ["drifting", "nothing runs it", { runner: "absent" }, ["configured, but nothing runs it"]],
    ["paused", "somebody paused it", { ...paused, paused_by: "carol" }, []],
    ["paused", "it says why", { ...paused, paused_reason: "maintenance" }, []],
    ["drifting", "nobody knows why", paused, ["paused, and nobody noticed"]],
    ["drifting", "it is not configured and runs", { desired: "absent" }, [
      "runs, but is not configured",
    ]],
    ["unknown", "its runner cannot be seen", { runner: null }, []],
  ])("%s: %s", (state, _, more, drift) => {
    const verdict = jobState(job(more), now);
    expect({ state: verdict.state, drift: verdict.drift }).toEqual({ state, drift });
  });

  it("late in a sentence", () => {
    expect(jobState(job({ last_run_at: ago(151) }), now).reason)
      .toBe("last run 3 min ago, meant to run every 2 min");
  });

  it("overdue when tasks behind it are past their time", () => {
    const queue = { pending: 0, scheduled: 4, overdue: 2 };
    expect(jobState(job({ queue, every_s: null }), now))
      .toMatchObject({ drift: ["overdue"], reason: "2 scheduled tasks are past their time" });
  });

  it("named in every drift that it has", () => {
    expect(jobState(job({ runner: "absent", last_run_at: ago(9999) }), now).drift)
      .toEqual(["configured, but nothing runs it", "overdue"]);
  });
});
