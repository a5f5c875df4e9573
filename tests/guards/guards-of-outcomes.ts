import { expect } from "vitest";
import {
  accept,
  alertEvent,
  approvedSignal,
  archive,
  claim,
  claimPublish,
  complete,
  confirm,
  fail,
  fence,
  plan,
  reserve,
  resultOf,
  start,
} from "../support/line.ts";
import { administer } from "../support/personas.ts";
import { all, drop, dropConstraint, forbids, given, type Guard, never, refuses } from "./guard.ts";
import { behindTriggers, type House, one, say, signal, yes } from "./house.ts";

const nowhere = "00000000-0000-4000-8000-000000000000";
const consumption = never(
  "api.reserve_effect",
  "v_request.request_id is not null",
  " then\n    update",
);
const uniqueKey = dropConstraint("public.effects", "effects_idempotency_key_key");
async function sent(house: House, actor = "desk:algo") {
  const { taskId, code } = await signal(house, { actor });
  given(await yes(house, "1001", code));
  const work = await claimPublish(house, taskId);
  if (work === null) throw new Error("nothing to publish");
  const { effect_id } = given(await reserve(house, work));
  given(await start(house, effect_id, work));
  return { taskId, work, effect: String(effect_id) };
}

const statusOfEffect = (house: House, effect: string) =>
  one<string>(house, "select status as value from public.effects where effect_id = $1", [effect]);

const resolve = (house: House, from: string, effect: string) =>
  say(house, from, { type: "resolve", effect, outcome: "done", reason: "seen" });

async function unseen(house: House, actor?: string) {
  const gone = await sent(house, actor);
  given(await confirm(house, gone.effect, gone.work, "unknown"));
  return gone;
}

export const guardsOfOutcomes: Guard[] = [
  {
    name: "An approval is consumed once",
    promise: "once",
    test: "an approval that carried an effect carries no second one",
    without: consumption,
    async probe(house) {
      const { work } = await approvedSignal(house);
      given(await reserve(house, work));
      await house.owner(
        "update public.task_steps set input_hash = repeat('a', 32) where step_id = $1",
        [work.step_id],
      );
      refuses(await reserve(house, work), "approval_missing");
    },
  },
  {
    name:
      "A sent effect is not reserved again (the look, the consumed approval and the unique key behind it)",
    promise: "once",
    test: "an effect that has left is not reserved a second time",
    without: all(
      never(
        "api.reserve_effect",
        "v_effect.effect_id is not null",
        " then\n    return private.refuse('effect_exists'",
      ),
      consumption,
      uniqueKey,
    ),
    async probe(house) {
      const { work } = await sent(house);
      refuses(await reserve(house, work), "effect_exists");
    },
  },
  {
    name: "An effect's key is unique",
    promise: "once",
    test: "a second effect under the key of the first is refused by the table",
    without: uniqueKey,
    async probe(house) {
      const { effect } = await sent(house);
      await forbids("23505", () =>
        house.owner(
          `insert into public.effects (task_id, step_id, request_id, kind, channel, idempotency_key, payload_json)
           select task_id, step_id, request_id, kind, channel, idempotency_key, payload_json from public.effects where effect_id = $1`,
          [effect],
        ));
    },
  },
  {
    name: "An effect whose lease was lost on the way is unknown",
    promise: "once",
    test: "a lost lease after the effect has left is not tried again",
    without: never(
      "private.reap_lease",
      "exists (select 1 from public.effects e where e.step_id = v_step.step_id and e.status = 'sent')",
    ),
    async probe(house) {
      const { effect } = await sent(house);
      await house.clock.advance(3600);
      await house.owner("select private.reap_leases()");
      expect(await statusOfEffect(house, effect)).toBe("unknown");
    },
  },
  {
    name: "An effect whose worker failed on the way is unknown",
    promise: "once",
    test: "a worker's failure after the effect has left is not tried again",
    without: never(
      "api.fail_step",
      "exists (select 1 from public.effects e where e.step_id = p_step_id and e.status = 'sent')",
    ),
    async probe(house) {
      const { effect, work } = await sent(house);
      await fail(house, work);
      expect(await statusOfEffect(house, effect)).toBe("unknown");
    },
  },
  {
    name: "The person who asked does not settle the outcome",
    promise: "once",
    test: "an unknown outcome is not settled by the person who asked for the effect",
    without: never(
      "private.on_resolve",
      "p_member.person_id in (v_task.requester_person_id, private.person_of(v_task.actor))",
    ),
    async probe(house) {
      const { effect } = await unseen(house, "telegram:1004");
      refuses(await resolve(house, "1014", effect), "self_approval");
    },
  },
  {
    name: "A reviewer settles no outcome",
    promise: "once",
    test: "an unknown outcome is not settled by a reviewer",
    without: never("private.on_resolve", "p_member.role not in ('owner', 'operator')"),
    async probe(house) {
      const { effect } = await unseen(house);
      refuses(await resolve(house, "1003", effect), "wrong_role");
    },
  },
  {
    name: "A known outcome stays (the check and the state machine behind it)",
    promise: "once",
    test: "an outcome that is known is not settled again",
    without: all(
      never("private.settle_effect", "v_effect.status <> 'unknown'"),
      async (house) => {
        for (const table of ["effects", "tasks", "task_steps"]) {
          await house.owner(`alter table public.${table} disable trigger _100_guard_update`);
        }
      },
    ),
    async probe(house) {
      const { effect, work } = await sent(house);
      given(await confirm(house, effect, work));
      refuses(
        await administer(house, "settle_effect($1, 'failed', 'I say so', 'cli:jane')", [effect]),
        "illegal_transition",
      );
    },
  },
  {
    name: "A lease's token fences every write",
    promise: "steps",
    test: "a reservation under another token is refused",
    without: drop("private.leased_step", "and s.lease_token = p_lease_token"),
    async probe(house) {
      const { work } = await approvedSignal(house);
      refuses(await reserve(house, { ...work, lease_token: nowhere }), "stale_lease");
    },
  },
  {
    name: "A lease's attempt fences every write",
    promise: "steps",
    test: "a reservation of an earlier attempt is refused",
    without: drop("private.leased_step", "and s.attempt = p_attempt"),
    async probe(house) {
      const { work } = await approvedSignal(house);
      refuses(await reserve(house, { ...work, attempt: work.attempt + 1 }), "stale_lease");
    },
  },
  {
    name: "A step is completed once (its state, and the token that went with it)",
    promise: "steps",
    test: "a step that is done is not completed again",
    without: all(
      drop("private.leased_step", "s.status = 'running' and"),
      drop("private.leased_step", "and s.lease_token = p_lease_token"),
    ),
    async probe(house) {
      given(await accept(house, alertEvent(`twice ${Math.random()}`)));
      for (const step of await claim(house, ["planner"])) given(await plan(house, step));
      const [step] = await claim(house, ["researcher"]);
      given((await complete(house, step, resultOf(step)))[0]);
      refuses((await complete(house, step, resultOf(step)))[0], "stale_lease");
    },
  },
  {
    name: "An effect is confirmed by the holder of its lease",
    promise: "once",
    test: "an outcome told by somebody without the lease is refused",
    without: drop("private.leased_step", "and s.lease_token = p_lease_token"),
    async probe(house) {
      const { effect, work } = await sent(house);
      const answer = await house.database.call<{ refused?: string }>("confirm_effect", {
        ...fence(effect, { ...work, lease_token: nowhere }),
        p_outcome: "confirmed",
        p_receipt: {},
      });
      refuses(answer, "stale_lease");
    },
  },
  {
    name: "No task is archived before its effect",
    promise: "once",
    test: "a task whose effect is under way is not archived",
    without: all(
      never(
        "api.archive_task",
        "exists (select 1 from public.effects e where e.task_id = v_step.task_id and e.status in ('reserved', 'sent', 'unknown'))",
      ),
      drop(
        "api.archive_task",
        "\n    or exists (select 1 from public.task_steps s where s.task_id = v_step.task_id and s.step_id <> p_step_id and s.status not in ('done', 'skipped'))",
      ),
    ),
    async probe(house) {
      const { taskId } = await sent(house);
      await behindTriggers(
        house,
        "update public.task_steps set status = 'ready', pending_parents = 0, run_at = private.now(), input_hash = repeat('b', 32) where task_id = $1 and node_id = 'archive'",
        [taskId],
      );
      await house.owner("select private.refill_ready_steps()");
      const [step] = await claim(house, ["orchestrator"]);
      refuses(await archive(house, step), "effect_unknown");
    },
  },
];
