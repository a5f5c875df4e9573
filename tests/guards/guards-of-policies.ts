import { expect } from "vitest";
import {
  approvedSignal,
  decide,
  openCode,
  policySha256,
  policyText,
  reserve,
} from "../support/line.ts";
import { administer } from "../support/personas.ts";
import {
  approved,
  fresh,
  functions,
  nextBody,
  nextText,
  propose,
  report,
  workOn,
} from "../support/next-policy.ts";
import { all, drop, dropTrigger, given, type Guard, never, refuses, replace } from "./guard.ts";
import { number, one } from "./house.ts";
import { active, adopt, altered, carried } from "./policy-change.ts";

export const guardsOfPolicies: Guard[] = [
  {
    name: "A policy in force is changed by a task",
    promise: "policy",
    test: "a second policy is not activated by the administrator",
    without: never(
      "api.activate_policy",
      "v_active.policy_sha256 is not null and v_active.policy_sha256 is distinct from private.sha256_hex(p_text) and v_active.body ? 'second_factor'",
    ),
    probe: async (house) =>
      refuses(
        await administer(house, "activate_policy($1, $2, 'cli:jane')", [
          `${policyText}# ${number()}\n`,
          JSON.stringify(nextBody),
        ]),
        "forbidden",
      ),
  },
  {
    name: "A process with another policy reserves nothing",
    promise: "policy",
    test: "a reservation under an unknown policy is refused",
    without: replace(
      "api.reserve_effect",
      "v_code := private.policy_problem(p_policy_sha256);",
      "v_code := null;",
    ),
    async probe(house) {
      const { work: step } = await approvedSignal(house);
      refuses(
        await reserve(house, step, { p_policy_sha256: "0".repeat(64) }),
        "policy_not_approved",
      );
    },
  },
  {
    name: "An approved policy waits for every function",
    promise: "policy",
    test: "a policy that one function does not carry is not in force",
    without: never("private.activate_pending", "v_waits <> '{}'"),
    async probe(house) {
      const { sha, work } = await approved(house);
      given(await adopt(house, work));
      for (const name of functions.slice(1)) await carried(house, name, sha);
      expect(await active(house)).toBe(policySha256);
    },
  },
  {
    name: "A report of before the approval counts for nothing",
    promise: "policy",
    test: "a function that carried the policy before it was approved is waited for",
    without: drop("private.functions_waited_for", "and b.reported_at >= p_policy.pending_at"),
    async probe(house) {
      const { sha, work } = await approved(house);
      for (const name of functions) await carried(house, name, sha);
      await house.clock.advance(1);
      given(await adopt(house, work));
      expect(await active(house)).toBe(policySha256);
    },
  },
  {
    name: "A policy in force is what its text says to the functions that read it",
    promise: "policy",
    test: "a policy whose text a function reads as another body is not in force",
    without: drop(
      "private.functions_waited_for",
      "and b.body_sha256 = d.sha",
    ),
    async probe(house) {
      const { sha, work } = await approved(house);
      given(await adopt(house, work));
      for (const name of functions) await carried(house, name, sha, "0".repeat(64));
      expect(await active(house)).toBe(policySha256);
    },
  },
  {
    name: "A policy is proposed by a member",
    promise: "people",
    test: "a policy that no member proposes is refused",
    without: never("api.propose_policy", "v_proposer.member_id is null"),
    probe: async (house) =>
      refuses(
        await propose(house, fresh(), nextBody, report(), "cli:somebody"),
        "invalid_request",
      ),
  },
  {
    name: "What was approved is what is adopted",
    promise: "policy",
    test: "a policy whose parsed body was changed after the approval is not adopted",
    without: all(
      replace("private.policy_change_problem", "private.policy_altered(v_policy) or", ""),
      never("private.activate_pending", "private.policy_altered(v_policy)"),
    ),
    async probe(house) {
      const { sha, work } = await approved(house);
      await altered(house, sha);
      refuses(await adopt(house, work), "digest_drift");
    },
  },
  {
    name: "What was approved is what comes into force",
    promise: "policy",
    test: "a policy whose parsed body was changed while it waited does not come into force",
    // What the functions report about the text would hold back another body as well.
    without: all(
      never("private.activate_pending", "private.policy_altered(v_policy)"),
      drop("private.functions_waited_for", "and b.body_sha256 = d.sha"),
    ),
    async probe(house) {
      const { sha, work } = await approved(house);
      given(await adopt(house, work));
      await altered(house, sha);
      for (const name of functions) await carried(house, name, sha);
      expect(await active(house)).toBe(policySha256);
    },
  },
  {
    name: "Another policy than the approved one is not adopted",
    promise: "policy",
    test: "a policy change with another payload is refused",
    without: all(
      never(
        "private.effect_problem",
        "p_kind = 'policy_change' and private.proposed(p_task.task_id, 'policy') is distinct from p_payload",
      ),
      replace(
        "private.policy_change_problem",
        "v_policy.status <> 'proposed' or v_policy.task_id is distinct from p_task.task_id",
        "false",
      ),
      replace(
        "private.policy_change_problem",
        "private.json_member((private.dry_run_of(p_task.task_id)).content, 'replay_sha256') is distinct from to_jsonb(v_policy.report_sha256)",
        "false",
      ),
    ),
    async probe(house) {
      const text = `${nextText}# other ${number()}\n`;
      const other = given(await propose(house, text));
      await house.owner("update public.task_steps set run_at = 'infinity' where task_id = $1", [
        other.task_id,
      ]);
      const { work } = await approved(house);
      const payload = { policy_sha256: other.policy_sha256, replay_sha256: other.replay_sha256 };
      refuses(await adopt(house, work, payload), "digest_drift");
    },
  },
  {
    name: "The replay that was approved is the one on record (the digest and the gate behind it)",
    promise: "policy",
    test: "a policy change whose rehearsal names another replay is refused",
    without: all(
      replace(
        "private.policy_change_problem",
        "private.json_member((private.dry_run_of(p_task.task_id)).content, 'replay_sha256') is distinct from to_jsonb(v_policy.report_sha256)",
        "false",
      ),
      replace(
        "private.bound_to",
        "private.sha256_hex((private.dry_run_of(p_task_id)).content)",
        "''",
      ),
    ),
    async probe(house) {
      const { work } = await approved(house);
      await house.owner(
        `update public.artifacts set content = n.content, checksum = private.sha256_hex(n.content)
         from (select jsonb_set(content::jsonb, '{replay_sha256}', '"another"')::text as content from public.artifacts
           where task_id = $1 and type = 'dry_run') n where task_id = $1 and type = 'dry_run'`,
        [work.task_id],
      );
      refuses(await adopt(house, work), "digest_drift");
    },
  },
  {
    name: "A proposal whose task ended is refused",
    promise: "policy",
    test: "a proposal that somebody said no to does not stay proposed",
    without: dropTrigger("public.tasks", "_700_close_proposal"),
    async probe(house) {
      const { task_id, policy_sha256 } = given(
        await propose(house, fresh()),
      );
      await workOn(house);
      given(await decide(house, "1001", await openCode(house, String(task_id)), "reject"));
      expect(
        await one(house, "select status as value from public.policies where policy_sha256 = $1", [
          policy_sha256,
        ]),
      ).toBe("refused");
    },
  },
];
