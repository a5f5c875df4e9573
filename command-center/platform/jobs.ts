import { z } from "zod";
import type { JobFact } from "../facts/job.ts";
import { spoken } from "../truth/judge.ts";
import type { Reader } from "../truth/reading.ts";
import { answer, count, time } from "./answer.ts";
import type { Books } from "./books.ts";
import { platformReader } from "./reader.ts";

const jobRow = z.object({
  id: z.string(),
  name: z.string(),
  every_seconds: count,
  enabled: z.boolean(),
  last_run_at: time.nullable(),
  last_status: z.enum(["ok", "error"]).nullable(),
  last_success_at: time.nullable(),
  next_run_at: time,
  last_error: z.string().nullable(),
  runs: z.boolean(),
});

const consumerRow = z.object({
  consumer: z.string(),
  paused_by: z.string().nullable(),
  pause_reason: z.string().nullable(),
});

const cronRow = z.object({
  scheduled_by_cron: z.array(z.object({
    id: count,
    name: z.string(),
    schedule: z.string(),
    active: z.boolean(),
    last_run_at: z.string().nullable(),
    last_status: z.enum(["succeeded", "failed"]).nullable(),
    last_success_at: z.string().nullable(),
    last_error: z.string().nullable(),
  })).nullable(),
});

const nothing = {
  last_run_at: null,
  last_result: null,
  last_success_at: null,
  next_run_at: null,
  paused_reason: null,
  paused_by: null,
  failure: null,
};

/** The platform's own schedule, who is paused, and what pg_cron runs where there is one. */
export const platformJobs = (books: Books): Reader<readonly JobFact[]> =>
  platformReader(books, async (ask) => {
    const jobs = await answer(
      ask,
      jobRow,
      "select j.*, coalesce(j.swept_at > now() - make_interval(secs => 60), false) as runs " +
        "from command_center.jobs j order by j.name",
    );
    const consumers = await answer(
      ask,
      consumerRow,
      "select consumer, paused, paused_by, pause_reason from public.event_consumers where paused order by consumer",
    );
    const [{ scheduled_by_cron }] = await answer(ask, cronRow, "select api.scheduled_by_cron()");
    return [
      ...jobs.map((job): JobFact => ({
        id: job.id,
        name: job.name,
        href: null,
        schedule: `every ${spoken(job.every_seconds)}`,
        every_s: job.every_seconds,
        desired: job.enabled ? "enabled" : "paused",
        runner: job.runs ? "present" : "absent",
        last_run_at: job.last_run_at,
        last_result: job.last_status,
        last_success_at: job.last_success_at,
        next_run_at: job.next_run_at,
        paused_reason: null,
        paused_by: null,
        failure: job.last_error,
      })),
      // Who is not paused works whenever there is work, which is no schedule.
      ...consumers.map(({ consumer, paused_by, pause_reason }): JobFact => ({
        ...nothing,
        id: `consumer:${consumer}`,
        name: `consumer ${consumer}`,
        href: null,
        schedule: "whenever there is work",
        every_s: null,
        desired: "paused",
        runner: null,
        paused_by,
        paused_reason: pause_reason,
      })),
      ...(scheduled_by_cron ?? []).map((job): JobFact => ({
        ...nothing,
        id: `cron:${job.id}`,
        name: job.name,
        href: null,
        schedule: job.schedule,
        every_s: everySeconds(job.schedule),
        desired: job.active ? "enabled" : "paused",
        runner: "present",
        last_run_at: job.last_run_at,
        last_result: job.last_status === null
          ? null
          : job.last_status === "succeeded"
          ? "ok"
          : "error",
        last_success_at: job.last_success_at,
        failure: job.last_error,
      })),
    ];
  });

/** pg_cron's own interval form, and the crontab lines whose interval needs no calendar. */
function everySeconds(schedule: string): number | null {
  const seconds = /^(\d+) seconds?$/.exec(schedule.trim());
  if (seconds) return Number(seconds[1]);
  const [minute, hour, day, month, weekday] = schedule.trim().split(/\s+/);
  if (day !== "*" || month !== "*" || weekday !== "*") return null;
  const step = /^\*(?:\/(\d+))?$/.exec(minute ?? "");
  if (step && hour === "*") return 60 * Number(step[1] ?? 1);
  if (/^\d+$/.test(minute ?? "") && hour === "*") return 3600;
  return /^\d+$/.test(minute ?? "") && /^\d+$/.test(hour ?? "") ? 86_400 : null;
}
