import { expect } from "vitest";
import {
  approvedSignal,
  claimPublish,
  decide,
  policy,
  policyText,
  reserve,
  statusOf,
} from "../support/line.ts";
import { administer } from "../support/personas.ts";
import { drop, given, type Guard, never, refuses, replace } from "./guard.ts";
import { one, post, setPolicy, signal, switchT3, trade, yes } from "./house.ts";

export const guardsOfDeciding: Guard[] = [
  {
    name: "No answer counts as no",
    promise: "gates",
    test: "a yes after the expiry is refused",
    without: never(
      "private.decide",
      "(v_request.status = 'open' or v_takes_back) and v_request.expires_at <= v_now",
    ),
    async probe(house) {
      const { code } = await signal(house);
      await house.clock.advance(900);
      refuses(await yes(house, "1001", code), "request_expired");
    },
  },
  {
    name: "A yes cannot be taken back once a worker has the effect in hand",
    promise: "once",
    test: "a no after the effect was begun is refused",
    without: replace(
      "private.decide",
      "(v_request.status = 'approved' and private.effect_not_begun(v_request.task_id))",
      "v_request.status = 'approved'",
    ),
    async probe(house) {
      const { code } = await approvedSignal(house);
      refuses(await decide(house, "1001", code, "reject"), "request_closed");
    },
  },
  {
    name: "People decide on what would be done now",
    promise: "gates",
    test: "a yes to what has changed since it was asked is refused",
    without: never(
      "private.decide",
      "v_request.status = 'open' and private.request_drifted(v_task, v_request)",
    ),
    async probe(house) {
      const { taskId, code } = await signal(house);
      await house.owner("update public.tasks set goal = 'another' where task_id = $1", [taskId]);
      refuses(await yes(house, "1001", code), "digest_drift");
    },
  },
  {
    name: "A request keeps the tier it was asked in",
    promise: "gates",
    test: "a request whose tier was lowered by hand takes no yes without a second factor",
    without: drop("private.request_drifted", "or p_request.tier is distinct from p_task.risk_tier"),
    async probe(house) {
      const { code } = await trade(house);
      await house.owner("update public.approval_requests set tier = 'T1' where code = $1", [code]);
      refuses(await yes(house, "1001", code), "digest_drift");
    },
  },
  {
    name: "A request keeps the slots it was asked with",
    promise: "gates",
    test: "a request that was made to ask one person instead of two takes no yes",
    without: drop(
      "private.request_drifted",
      "or p_request.required_slots is distinct from (private.task_rule(p_task)).slots",
    ),
    async probe(house) {
      const { code } = await trade(house);
      await house.owner(
        "update public.approval_requests set required_slots = '{operator_approval}' where code = $1",
        [code],
      );
      refuses(await decide(house, "1001", code), "digest_drift");
    },
  },
  {
    name: "Nobody answers about work that is being done anew",
    promise: "gates",
    test: "a yes while the work is replanned is refused",
    without: never(
      "private.decide",
      "v_request.status = 'open' and not exists (select 1 from public.task_steps s\n      where s.step_id = v_request.step_id and s.status = 'awaiting_approval')",
    ),
    async probe(house) {
      const { taskId, code } = await trade(house);
      given(await administer(house, "replan_task($1, 'again', 'cli:jane')", [taskId]));
      refuses(await decide(house, "1001", code), "replanning");
    },
  },
  {
    name: "Work that is done anew is taken from its worker",
    promise: "steps",
    test: "a step that somebody works on is taken back by a replan",
    without: replace("api.replan_task", "'ready', 'pending', 'running')", "'ready', 'pending')"),
    async probe(house) {
      const { taskId } = await post(house);
      given(await administer(house, "replan_task($1, 'again', 'cli:jane')", [taskId]));
      const [step] = await house.database.call<{ step_id: string }[]>("claim_steps", {
        p_worker: "test",
        p_limit: 1,
        p_agents: ["retriever"],
      });
      given(await administer(house, "replan_task($1, 'once more', 'cli:jane')", [taskId]));
      expect(
        await one(house, "select status as value from public.task_steps where step_id = $1", [
          step.step_id,
        ]),
      ).not.toBe("running");
    },
  },
  {
    name: "A door with another policy decides nothing",
    promise: "policy",
    test: "a yes through a door with an unknown policy is refused",
    without: never("private.decide", "private.policy_problem(p_policy_sha256) is not null"),
    async probe(house) {
      const { code } = await signal(house);
      const more = { policy_sha256: "0".repeat(64) };
      refuses(await yes(house, "1001", code, more), "policy_not_approved");
    },
  },
  {
    name: "T3 that is switched off is held at its gate",
    promise: "gates",
    test: "a T3 task that two people approved waits while T3 is off",
    without: never(
      "private.settle_request",
      "private.held_by_switch((select t from public.tasks t where t.task_id = p_request.task_id))",
    ),
    async probe(house) {
      const { taskId, code } = await trade(house);
      await switchT3(house, false);
      given(await decide(house, "1001", code));
      given(await decide(house, "1002", code));
      expect(await statusOf(house, taskId)).toBe("pending_exec");
    },
  },
  {
    name: "A policy that asks nobody for T2 or T3 is none",
    promise: "policy",
    test: "a policy without people for T2 is refused",
    without: never("private.rule_of", "p_tier in ('T2', 'T3') and v_rule.slots = '{}'"),
    async probe(house) {
      const [{ answer }] = await house.owner<{ answer: { refused?: string } }>(
        "select private.install_policy($1, $2, 'test') as answer",
        [
          `${policyText}# asks nobody\n`,
          JSON.stringify({ ...policy, approvals: { ...policy.approvals, T2: ["critic>=0.8"] } }),
        ],
      );
      refuses(answer, "policy_invalid");
    },
  },
  {
    name: "A tier that was raised counts for what was asked before",
    promise: "gates",
    test: "an approval of T2 does not carry an action that is T3 now",
    without: replace(
      "private.effective_tier",
      "greatest(p_task.risk_tier, coalesce(private.action_tier(p_task.action), 'T3'))",
      "p_task.risk_tier",
    ),
    async probe(house) {
      const { taskId, code } = await signal(house);
      given(await yes(house, "1001", code));
      await setPolicy(house, "{risk_tiers}", {
        ...policy.risk_tiers,
        T2: ["SOCIAL_POST"],
        T3: ["TRADE", "PUBLISH"],
      });
      const work = await claimPublish(house, taskId);
      if (work === null) throw new Error("nothing to publish");
      refuses(await reserve(house, work), "digest_drift");
    },
  },
];
