import { expect } from "vitest";
import {
  accept,
  alertEvent,
  approvedSignal,
  claim,
  complete,
  handle,
  plan,
  post as text,
  reserve,
  resultOf,
  secondFactor,
  signalAtGate,
  start,
  update,
} from "../support/line.ts";
import { reserveAccess } from "../support/payments.ts";
import { administer } from "../support/personas.ts";
import { access } from "./desk.ts";
import { all, drop, given, type Guard, never, refuses, replace } from "./guard.ts";
import { behindTriggers, type House, one, say, signal, switchT3 } from "./house.ts";

const startLooks = replace(
  "api.start_effect",
  "select private.effect_problem(t, r, v_effect.kind, v_effect.channel, v_effect.payload_json) into v_code",
  "select null::text into v_code",
);

export const guardsOfEffects: Guard[] = [
  {
    name: "No effect after the approval has lapsed",
    promise: "gates",
    test: "an effect is not reserved after the expiry",
    without: never("private.approval_problem", "p_request.expires_at <= private.now()"),
    async probe(house) {
      const { work } = await approvedSignal(house);
      await house.clock.advance(900);
      refuses(await reserve(house, work), "request_expired");
    },
  },
  {
    name: "No effect that the critic does not pass",
    promise: "gates",
    test: "an effect whose evaluation has become a no is not reserved",
    without: never(
      "private.effect_problem",
      "v_evaluation.verdict <> 'pass' or v_evaluation.score < v_rule.min_score",
    ),
    async probe(house) {
      const { taskId, work } = await approvedSignal(house);
      await house.owner(
        `insert into public.evaluations (task_id, step_id, artifact_id, artifact_checksum, critic, author, rubric, rubric_sha256, total, score, threshold, verdict)
         select task_id, step_id, artifact_id, artifact_checksum, critic, author, rubric, rubric_sha256, total, score, threshold, 'fail'
         from public.evaluations where task_id = $1`,
        [taskId],
      );
      refuses(await reserve(house, work), "critic_rejected");
    },
  },
  {
    name: "No effect without an evaluation (and none of bytes that nobody evaluated)",
    promise: "gates",
    test: "a result whose evaluation is gone is not recorded",
    without: all(
      never("private.effect_problem", "v_evaluation.evaluation_id is null"),
      never("private.effect_problem", "private.artifacts_altered(v_evaluation)"),
    ),
    async probe(house) {
      const taskId = await signalAtGate(house, { source: "desk", action: "READ" });
      const work = await effectOf(house, taskId);
      await behindTriggers(house, "delete from public.evaluations where task_id = $1", [taskId]);
      const record = {
        p_kind: "record",
        p_channel: "internal",
        p_destination: null,
        p_payload: {},
      };
      refuses(await reserve(house, work, record), "evaluation_missing");
    },
  },
  {
    name: "What is published is the post that people saw",
    promise: "gates",
    test: "another text than the approved one is not reserved",
    without: never(
      "private.effect_problem",
      "p_kind = 'publish' and not exists (select 1 from private.newest_artifacts(p_task.task_id) a join public.artifacts o on o.step_id = a.step_id\n      where o.artifact_id = v_evaluation.artifact_id and a.type = 'post' and p_payload = jsonb_build_object('text', a.content))",
    ),
    async probe(house) {
      const { work } = await approvedSignal(house);
      refuses(await reserve(house, work, { p_payload: { text: `${text}!` } }), "digest_drift");
    },
  },
  {
    name: "What is granted is what the proposal says (in the common gate and in its own)",
    promise: "access",
    test: "another grant than the approved one is not reserved",
    without: all(
      never(
        "private.effect_problem",
        "p_kind = 'access' and private.proposed(p_task.task_id, 'grant') is distinct from p_payload",
      ),
      replace(
        "private.access_problem",
        "p_payload is distinct from private.proposed(p_task.task_id, 'grant') or",
        "",
      ),
    ),
    async probe(house) {
      const { grant, work } = await access(house);
      refuses(
        await reserveAccess(house, work, { ...grant, join_minutes: "99999" }),
        "digest_drift",
      );
    },
  },
  {
    name: "What people decided on does not end as a note",
    promise: "gates",
    test: "an approved post is not recorded instead of published",
    without: never("private.effect_problem", "p_kind = 'record' and v_tier > 'T1'"),
    async probe(house) {
      const { work } = await approvedSignal(house);
      const record = {
        p_kind: "record",
        p_channel: "internal",
        p_destination: null,
        p_payload: {},
      };
      refuses(await reserve(house, work, record), "invalid_request");
    },
  },
  {
    name: "What needs nobody stays in the house (the rule, and the post that people see)",
    promise: "gates",
    test: "what nobody was asked about is not published",
    without: all(
      never("private.effect_problem", "p_kind = 'publish' and v_rule.slots = '{}'"),
      never(
        "private.effect_problem",
        "p_kind = 'publish' and not exists (select 1 from private.newest_artifacts(p_task.task_id) a join public.artifacts o on o.step_id = a.step_id\n      where o.artifact_id = v_evaluation.artifact_id and a.type = 'post' and p_payload = jsonb_build_object('text', a.content))",
      ),
    ),
    async probe(house) {
      const work = await effectOf(
        house,
        await signalAtGate(house, { source: "desk", action: "READ" }),
      );
      refuses(await reserve(house, work), "approval_missing");
    },
  },
  {
    name: "A local decision opens no outside channel",
    promise: "gates",
    test: "a decision made at the console does not reach Telegram",
    without: never(
      "private.approval_problem",
      "p_channel not in ('console', 'internal', 'paper')",
      " and exists",
    ),
    async probe(house) {
      const { work } = await approvedSignal(house, "1001", { channel: "local-simulated" });
      refuses(await reserve(house, work), "local_decision");
    },
  },
  {
    name: "No T3 effect while T3 is switched off",
    promise: "gates",
    test: "an approved T3 effect is not reserved after T3 was switched off",
    without: never(
      "private.approval_problem",
      "private.held_by_switch(p_task)",
    ),
    async probe(house) {
      const { grant, work } = await access(house);
      await switchT3(house, false);
      refuses(await reserveAccess(house, work, grant), "t3_execution_disabled");
    },
  },
  {
    name: "T3 is switched on by an owner alone",
    promise: "roles",
    test: "an operator does not switch T3 on",
    without: drop("private.on_t3", "or (v_on and p_member.role <> 'owner')"),
    async probe(house) {
      await switchT3(house, false);
      const second_factor = await secondFactor(house, "1001");
      refuses(
        await say(house, "1001", { type: "t3", state: "on" }, { second_factor }),
        "wrong_role",
      );
    },
  },
  {
    name: "T3 is switched on with a second factor",
    promise: "factor",
    test: "an owner without a code does not switch T3 on",
    without: never("private.on_t3", "v_code is null and v_on and not v_was"),
    async probe(house) {
      await switchT3(house, false);
      refuses(await say(house, "1002", { type: "t3", state: "on" }), "second_factor_required");
    },
  },
  {
    name: "T3 has no other switch",
    promise: "roles",
    test: "the administrator does not switch T3 on",
    without: never("api.set_flag", "p_key = 't3_execution_enabled' and p_enabled"),
    async probe(house) {
      await switchT3(house, false);
      refuses(
        await administer(house, "set_flag('t3_execution_enabled', true, 'why', 'cli:jane')"),
        "forbidden",
      );
    },
  },
  {
    name: "A rehearsal of other bytes is none",
    promise: "gates",
    test: "nobody is asked about a T3 task whose dry run rehearsed something else",
    without: never("private.asking_problem", "p_rule.dry_run", " then private.dry_run_problem"),
    async probe(house) {
      const event = alertEvent(`t ${Math.random()}`, { source: "desk", action: "TRADE" });
      const { task_id } = given(await accept(house, event));
      for (let round = 0; round < 8; round++) {
        const work = await claim(house, ["planner", "researcher", "retriever", "trader", "critic"]);
        for (const step of work) {
          if (step.agent_class === "planner") await plan(house, step);
          else await complete(house, step, rehearsing(step));
        }
      }
      expect(
        await one(house, "select code as value from public.approval_requests where task_id = $1", [
          task_id,
        ]),
      ).toBeUndefined();
    },
  },
  {
    name: "What was reserved is looked at again before it leaves",
    promise: "gates",
    test: "a payload that was swapped after the reservation does not leave",
    without: startLooks,
    async probe(house) {
      const { work } = await approvedSignal(house);
      const { effect_id } = given(await reserve(house, work));
      await house.owner(
        'update public.effects set payload_json = \'{"text": "all in"}\' where effect_id = $1',
        [effect_id],
      );
      refuses(await start(house, effect_id, work), "digest_drift");
    },
  },
  {
    name: "handle_update takes no decision",
    promise: "signature",
    test: "a decision at the door for everything else is refused",
    without: replace("private.signature_problem", "return 'signature_missing'", "return null"),
    async probe(house) {
      const { code } = await signal(house);
      const value = update("1001", { type: "approve", code, decision: "approve", reason: null });
      refuses(await handle(house, value), "signature_missing");
    },
  },
];

/** The leased step of an effect that needs nobody. */
async function effectOf(house: House, taskId: string) {
  const running = await one<string>(
    house,
    "select to_jsonb(s)::text as value from public.task_steps s where task_id = $1 and is_effect and status = 'running'",
    [taskId],
  );
  if (!running) throw new Error("the effect's step is not leased");
  return JSON.parse(running);
}

function rehearsing(step: Parameters<typeof resultOf>[0]): unknown {
  if (step.node_id !== "dry_run") return resultOf(step);
  const content = JSON.stringify({ subject_sha256: "0".repeat(64), lines: [] });
  return { artifact: { type: "dry_run", media_type: "application/json", content } };
}
