import { describe, expect, it } from "vitest";
import {
  answerAt,
  decidingPolicyOf,
  type Point,
} from "../../../functions/_policy/policy-domain.ts";
import { crew, type Proof, prove } from "../../../functions/_policy/policy-proof.ts";
import { shippedPolicy } from "./shipped-policy.ts";

// Policies that no parser would let through are proved as well: the proof must not lean on the parser.
// deno-lint-ignore no-explicit-any
type Loose = any;
const shipped = await shippedPolicy();
const both = [{ person: "otto", role: "owner" }, { person: "olga", role: "operator" }];

function proofOf(change: (policy: Loose) => void = () => {}, people = both): Proof {
  const body = structuredClone(shipped);
  change(body);
  return prove(decidingPolicyOf(body)!, people);
}
const breachesOf = (change: (policy: Loose) => void, people = both) =>
  proofOf(change, people).breaches.map(({ rule, proof }) => `${rule}: ${proof}`);

describe("a policy is not proved", () => {
  it.each<[string, (policy: Loose) => void, string]>([
    [
      "when a slot is filled by the role of another slot, of which there is one person",
      (policy) => policy.roles.owner_approval = ["operator"],
      "approvals.T3: can be met",
    ],
    [
      "when a slot is filled by a role that decides nothing",
      (policy) => policy.roles.operator_approval = ["reviewer"],
      "approvals.T2: can be met",
    ],
    [
      "when T2 asks nobody",
      (policy) => policy.approvals.T2 = ["critic>=0.8"],
      "approvals.T2: can be met",
    ],
    [
      "when a token is unknown",
      (policy) => policy.approvals.T3 = ["critic>=0.9", "operator_approval", "moon_phase"],
      "approvals.T3: can be met",
    ],
    [
      "when T3 asks for less of the critic than T2",
      (policy) => policy.approvals.T2[0] = "critic>=0.95",
      "approvals.T3: more risk, not less approval",
    ],
    [
      "when T3 leaves out whom T2 asks",
      (policy) => policy.approvals.T3 = ["critic>=0.9", "owner_approval", "dry_run_required"],
      "approvals.T3: more risk, not less approval",
    ],
    [
      "when T1 asks for a dry run and T2 does not",
      (policy) => policy.approvals.T1 = ["dry_run_required"],
      "approvals.T2: more risk, not less approval",
    ],
    [
      "when getting out asks more than getting in",
      (policy) => policy.trading.reduce_only_approvals = ["critic>=0.95", "operator_approval"],
      "trading.reduce_only_approvals: more risk, not less approval",
    ],
    [
      "when a flow makes no dry run that its rule asks for",
      (policy) => policy.platform_actions.POLICY_CHANGE.flow = "publish",
      "approvals.T3: can be met",
    ],
  ])("%s", (_, change, breach) => {
    expect(breachesOf(change)).toContain(breach);
  });

  it("for people who could not decide: nobody, one person with two accounts", () => {
    expect(breachesOf(() => {}, [])).toContain("approvals.T2: can be met");
    const twice = [{ person: "tom", role: "owner" }, { person: "tom", role: "operator" }];
    expect(breachesOf(() => {}, twice)).toEqual(["approvals.T3: can be met"]);
    expect(crew(twice)).toBe("1 operator+owner");
  });

  it("without naming the rule in a sentence", () => {
    const [breach] = proofOf((policy) => policy.roles.owner_approval = ["operator"]).breaches;
    expect(breach.sentence).toBe(
      "approvals.T3 asks operator_approval and owner_approval, and 1 operator, 1 owner cannot give that",
    );
  });
});

describe("the shipped policy", () => {
  it("is proved over its whole domain, with one operator and one owner", () => {
    const { breaches, points, allowed, refused, actions } = proofOf();
    expect(breaches).toEqual([]);
    expect(actions).toBe(14);
    expect(points).toBeGreaterThan(20_000);
    expect(allowed + refused).toBe(points);
    expect(allowed).toBeGreaterThan(0);
  });

  it("says of each rule who can meet it, and that one of each is just enough", () => {
    expect(proofOf().rules.map(({ rule, met_by }) => [rule, met_by])).toEqual([
      ["approvals.T0", "not asked"],
      ["approvals.T1", "not asked"],
      ["approvals.T2", "yes, not when one of them asks"],
      ["approvals.T3", "yes, not when one of them asks"],
      ["trading.reduce_only_approvals", "yes, not when one of them asks"],
    ]);
    const more = [...both, { person: "ole", role: "operator" }, { person: "ona", role: "owner" }];
    expect(proofOf(() => {}, more).rules.at(3)?.met_by).toBe("yes, whoever asks");
  });

  const policy = decidingPolicyOf(shipped)!;
  const point: Point = {
    action: "TRADE",
    raised: "T0",
    yes: both,
    score: 1,
    flagged: false,
    dry_run: true,
    limit: "equal",
  };
  it.each<[string, Partial<Point>, string]>([
    ["at its limits, with both and a full score", {}, "allowed"],
    ["above a limit", { limit: "above" }, "limit_exceeded"],
    ["with a limit that cannot be measured", { limit: "unknown" }, "limit_exceeded"],
    ["without a dry run", { dry_run: false }, "dry_run_missing"],
    ["with one of two", { yes: both.slice(1) }, "approval_missing"],
    ["as a reduction, with one of two", { yes: both.slice(1), reduction: true }, "allowed"],
    ["just below its threshold", { score: 0.8999 }, "critic_rejected"],
    ["with a red flag", { flagged: true }, "critic_rejected"],
    ["without an evaluation", { score: null }, "evaluation_missing"],
    ["of a name that every object has", { action: "constructor" }, "unclassified_action"],
    [
      "of a post that a plan raised",
      { action: "PUBLISH", raised: "T3", yes: both.slice(1) },
      "approval_missing",
    ],
  ])("answers a trade %s", (_, more, answer) => {
    expect(answerAt(policy, { ...point, ...more })).toBe(answer);
  });
});
