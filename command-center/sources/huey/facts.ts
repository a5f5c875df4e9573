import type { JobFact } from "../../facts/job.ts";
import type { Part } from "../part.ts";
import type { HueyQueue } from "./queue.ts";

const presence = { alive: "present", silent: "absent", unknown: null } as const;

/** A queue is one job: the consumer that should be running, and what waits behind it. */
export function hueyJobs({ name, consumer, heartbeat_at, ...counts }: HueyQueue): Part<JobFact[]> {
  const { pending, scheduled, overdue, next_due_at } = counts;
  const fact: JobFact = {
    id: name,
    name: `consumer of ${name}`,
    href: null,
    schedule: "whenever something waits",
    every_s: null,
    desired: "enabled",
    runner: presence[consumer],
    last_run_at: heartbeat_at,
    last_result: null,
    last_success_at: null,
    next_run_at: next_due_at,
    paused_reason: null,
    paused_by: null,
    failure: null,
    queue: { pending, scheduled, overdue },
  };
  return { value: [fact], partial: null };
}
