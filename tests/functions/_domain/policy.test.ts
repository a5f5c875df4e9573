import { describe, expect, it } from "vitest";
import { agentVersion, approvalRule, flowOf, tierOf } from "../../../functions/_domain/policy.ts";
import { changed, shippedPolicy } from "../_policy/shipped-policy.ts";

const policy = await shippedPolicy();

describe("an action", () => {
  it.each(["", "read", "READ ", "DANCE", "constructor", "__proto__", "toString", "T0"])(
    "that the policy does not name has no tier and no flow: %j",
    (action) => {
      expect(tierOf(policy, action)).toBeNull();
      expect(flowOf(policy, { source: "tradingview", action })).toBeNull();
      expect(flowOf(policy, { source: action, action: "READ" })).toBe("answer");
    },
  );

  it.each([
    ["READ", "T0", "answer"],
    ["RESEARCH", "T0", "answer"],
    ["RETRIEVE", "T0", "answer"],
    ["WRITE_DB", "T1", "answer"],
    ["SUMMARIZE", "T1", "answer"],
    ["DRAFT_REPLY", "T1", "answer"],
    ["PUBLISH", "T2", "publish"],
    ["SOCIAL_POST", "T2", "publish"],
    ["TRADE", "T3", "trade"],
    ["PAYMENT", "T3", "access"],
    ["WITHDRAWAL", "T3", "execute"],
    ["POLICY_CHANGE", "T3", "execute"],
    ["RESUME", "T3", "execute"],
    ["BREAK_GLASS", "T3", "execute"],
  ])("%s has tier %s and flow %s", (action, tier, flow) => {
    expect(tierOf(policy, action)).toBe(tier);
    expect(flowOf(policy, { source: "service", action })).toBe(flow);
  });

  it("does not take a source's flow by borrowing the source's name", () => {
    expect(flowOf(policy, { source: "tradingview", action: "PAYMENT" })).toBe("access");
    expect(flowOf(policy, { source: "tradingview", action: "PUBLISH" })).toBe("signal");
  });
});

describe("an agent", () => {
  it("has no version where nobody knows it or none is set", () => {
    expect(agentVersion(policy, "oracle")).toBeNull();
    expect(agentVersion(policy, "constructor")).toBeNull();
    expect(agentVersion(policy, "human")).toBeNull();
    expect(agentVersion(policy, "etl")).toBeNull();
  });

  it("has the version of the policy", () => {
    expect(agentVersion(policy, "exec")).toBe("executor:v2");
    expect(agentVersion(policy, "trader")).toBe("trader:xauusd-v6");
  });
});

describe("the rule of a tier", () => {
  it("asks T2 for 0.8 and an operator", () => {
    expect(approvalRule(policy, "T2"))
      .toEqual({ min_score: 0.8, slots: ["operator_approval"], dry_run: false });
  });

  it("asks T3 for 0.9, an operator, an owner and a dry run", () => {
    expect(approvalRule(policy, "T3")).toEqual({
      min_score: 0.9,
      slots: ["operator_approval", "owner_approval"],
      dry_run: true,
    });
  });

  it.each(["T0", "T1"] as const)("asks nobody on %s, but 7 of 9 marks", (tier) => {
    expect(approvalRule(policy, tier)).toEqual({ min_score: 0.7778, slots: [], dry_run: false });
  });

  it("never falls below the rubric's floor", async () => {
    const lax = await changed((one) => one.approvals.T2 = ["critic>=0.1", "operator_approval"]);
    expect(lax.ok && approvalRule(lax.policy, "T2").min_score).toBe(0.7778);
  });

  it("rises with the rubric's floor", async () => {
    const strict = await changed((one) => one.rubric.pass_total = 8);
    expect(strict.ok && approvalRule(strict.policy, "T2").min_score).toBe(0.8889);
  });

  it("follows the file", async () => {
    const strict = await changed((one) => {
      one.approvals.T1 = ["critic>=0.85", "operator_approval"];
      one.approvals.T2 = ["critic>=0.95", "operator_approval", "owner_approval"];
    });
    if (!strict.ok) throw new Error(strict.reason);
    expect(approvalRule(strict.policy, "T1")).toMatchObject({
      min_score: 0.85,
      slots: ["operator_approval"],
    });
    expect(approvalRule(strict.policy, "T2")).toMatchObject({
      min_score: 0.95,
      slots: ["operator_approval", "owner_approval"],
    });
  });
});
