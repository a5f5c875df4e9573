import { type Answer, approvedSignal, reserve, signalAtGate } from "../support/line.ts";
import { administer } from "../support/personas.ts";
import { dropConstraint, forbids, given, type Guard, never, refuses, replace } from "./guard.ts";
import type { House } from "./house.ts";

/** A task whose effect a worker has taken in hand, and that is made to look like the twin of an earlier one. */
async function begunTwin(house: House): Promise<string> {
  const first = await signalAtGate(house);
  const { taskId } = await approvedSignal(house);
  await house.pg.transaction(async (tx) => {
    await tx.exec("set local role postgres; set local session_replication_role = replica");
    await tx.query(
      `update public.event_receipts r set body_sha256 = f.body_sha256, received_at = f.received_at + interval '5 seconds'
       from public.event_receipts f where r.task_id = $2 and f.task_id = $1`,
      [first, taskId],
    );
  });
  return taskId;
}

const timeout = (tool: string, ms: number) =>
  `insert into public.tool_timeouts (tool, timeout_ms, reason, set_by, expires_at)
   values ('${tool}', ${ms}, 'a probe', 'test', private.now() + interval '1 hour')
   on conflict (tool) do update set timeout_ms = excluded.timeout_ms`;

export const guardsOfRunbooks: Guard[] = [
  {
    name: "A twin whose effect a worker has taken in hand is left to a person",
    promise: "once",
    test: "a twin whose effect was claimed is not cancelled",
    without: never(
      "api.cancel_twin",
      "v_problem is not null",
      " then\n    return private.refuse('illegal_transition'",
    ),
    async probe(house) {
      const taskId = await begunTwin(house);
      refuses(
        await administer<Answer>(house, "cancel_twin($1, 'test')", [taskId]),
        "illegal_transition",
      );
    },
  },
  {
    name: "Steps are not rebuilt while an effect is under way",
    promise: "steps",
    test: "the steps of a task with a reserved effect are not rebuilt",
    without: replace(
      "api.rebuild_steps",
      "e.status in ('reserved', 'sent', 'unknown')",
      "false",
    ),
    async probe(house) {
      const { taskId, work } = await approvedSignal(house);
      given(await reserve(house, work));
      refuses(
        await administer<Answer>(house, "rebuild_steps($1, 'test')", [taskId]),
        "illegal_transition",
      );
    },
  },
  {
    name: "An effect is never cut short by a tighter timeout",
    promise: "tools",
    test: "no row shortens the patience with a broker",
    without: dropConstraint("public.tool_timeouts", "tightened_and_not_loosened"),
    probe: (house) => forbids("23514", () => house.owner(timeout("broker.order", 500))),
  },
];
