import { describe, expect, it } from "vitest";
import { openTestDatabase } from "../support/database.ts";
import {
  accept,
  activate,
  alertEvent,
  claim,
  plan,
  policy,
  policySha256,
  policyText,
  refusalsOf,
  sha256,
} from "../support/line.ts";
import { administer } from "../support/personas.ts";
import { nextBody, nextText, reportBundle } from "../support/next-policy.ts";
import { active, clock, db, problem } from "./policy-change.ts";

const activateByHand = (text: string, body: unknown, house = db) =>
  administer(house, "activate_policy($1, $2, 'cli:somebody')", [text, JSON.stringify(body)]);

describe("a policy in force is not replaced by activating another", () => {
  it("which names the way that is left, and is on record", async () => {
    const answer = await activateByHand(nextText, nextBody);
    expect(answer).toMatchObject({ refused: "forbidden" });
    expect(answer.reason).toContain("policy propose");
    expect(await active()).toBe(policySha256);
    expect(await refusalsOf(db, `policy:${sha256(nextText)}`)).toEqual(["forbidden"]);
  });

  it("while the same text again changes nothing", async () => {
    expect(await activateByHand(policyText, policy)).toMatchObject({
      status: "active",
      changed: false,
    });
  });

  it("but one that is older than POLICY_CHANGE is followed: it could not plan the task", async () => {
    const { second_factor: _later, ...older } = policy;
    await activate(db, "older", older);
    expect(await activateByHand(policyText, policy)).toEqual({
      policy_sha256: policySha256,
      status: "active",
      changed: true,
    });
    expect(await activateByHand(nextText, nextBody)).toMatchObject({ refused: "forbidden" });
  });

  it("and the very first one is activated, and says so", async () => {
    const bare = await openTestDatabase();
    try {
      expect(await activateByHand(policyText, policy, bare)).toMatchObject({
        first: true,
        changed: true,
      });
    } finally {
      await bare.close();
    }
  });
});

describe("a bundle", () => {
  it("without a policy is policy_invalid, of another policy policy_not_approved", async () => {
    expect(await problem(null)).toBe("policy_invalid");
    expect(await problem("0".repeat(64))).toBe("policy_not_approved");
    expect(await problem(policySha256)).toBeNull();
  });

  it("that nobody approved plans nothing, while intake goes on", async () => {
    await db.owner("select private.install_policy('another', $1, 'test')", [
      JSON.stringify(policy),
    ]);
    const accepted = await accept(db, alertEvent("BUY a policy"));
    expect(accepted.task_id).toBeDefined();
    const [work] = await claim(db, ["planner"]);
    expect(await plan(db, work)).toMatchObject({ refused: "policy_not_approved" });
    expect(
      await db.database.call("fail_step", {
        p_step_id: work.step_id,
        p_attempt: work.attempt,
        p_lease_token: work.lease_token,
        p_code: "policy_not_approved",
      }),
    ).toMatchObject({ status: "ready" });
    await activate(db);
    await clock.advance(60);
    const [again] = await claim(db, ["planner"]);
    await plan(db, again, [{ id: "plan", agent: "nobody" }]);
    await db.database.call("fail_step", {
      p_step_id: again.step_id,
      p_attempt: again.attempt,
      p_lease_token: again.lease_token,
      p_code: "invalid_plan",
    });
  });

  it.each([
    ["of a function that carries no policy", "dags-domain-health", "a", policySha256],
    ["without a process", "critic", "", policySha256],
    ["with a hash that is none", "critic", "a", "latest"],
    ["with a parsed body's hash that is none", "critic", "a", policySha256, "latest"],
  ])("%s is no report", async (_, name, instance, sha, body = "") => {
    expect(await reportBundle(db, name, sha, instance, body || null)).toMatchObject({
      refused: "invalid_request",
    });
  });

  it("reports what it carries, once per function and text, and is told where it stands", async () => {
    expect(await reportBundle(db, "critic", null)).toMatchObject({ problem: "policy_invalid" });
    for (const instance of ["one", "two"]) {
      expect(await reportBundle(db, "critic", policySha256, instance)).toMatchObject({
        problem: null,
        active: policySha256,
      });
    }
    expect(
      await db.owner(
        "select instance, reports::int from public.policy_bundles where function_name = 'critic'",
      ),
    ).toEqual([{ instance: "two", reports: 2 }]);
  });
});
