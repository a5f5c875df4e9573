import { describe, expect, it } from "vitest";
import { decidingPolicyOf } from "../../../functions/_policy/policy-domain.ts";
import {
  countOf,
  replayer,
  type StoredDecision,
} from "../../../functions/_policy/policy-replay.ts";
import { shippedPolicy } from "./shipped-policy.ts";

const shipped = await shippedPolicy();
const sha = "a".repeat(64);
// deno-lint-ignore no-explicit-any
type Loose = any;
const changed = (change: (policy: Loose) => void): Loose => {
  const body = structuredClone(shipped);
  change(body);
  return body;
};

const stored = (gate: string, inputs: unknown, outcome: unknown, policy = sha): StoredDecision => ({
  gate,
  task_id: "T-2027-05-01-0001",
  policy_sha256: policy,
  inputs,
  outcome,
});
const both = [{ person: "a", role: "operator" }, { person: "b", role: "owner" }];
const marks = { total: "8.00", score: "0.8889", flagged: false, doubted: false };
const limits = { max_positions: "3", cool_down_minutes: "30", max_daily_loss_pct: "2" };
const trade = { action: "TRADE", reduction: false };

const rows = {
  plan: stored("plan", { source: "tradingview", action: "PUBLISH" }, { tier: "T2" }),
  unknown: stored("plan", { source: "service", action: "DANCE" }, {
    refused: "unclassified_action",
  }),
  evaluate: stored("evaluate", { action: "PUBLISH", ...marks }, {
    tier: "T2",
    threshold: "0.8000",
    verdict: "pass",
  }),
  ask: stored("ask", trade, {
    tier: "T3",
    slots: ["operator_approval", "owner_approval"],
    dry_run: true,
    limits,
  }),
  reduce: stored("ask", { ...trade, reduction: true }, {
    tier: "T3",
    slots: ["operator_approval"],
    dry_run: true,
    limits,
  }),
  wrongRole: stored("decide", { action: "PUBLISH", role: "owner", slots: ["operator_approval"] }, {
    counts: false,
  }),
  unanswered: stored("fill", { ...trade, yes: both.slice(0, 1) }, { filled: false }),
  answered: stored("fill", { ...trade, yes: both }, { filled: true }),
  effect: stored("reserve", {
    ...trade,
    ...marks,
    score: "1.0000",
    total: "9.00",
    yes: both,
    dry_run: true,
    limits,
    exceeded: [],
  }, { allowed: true }),
  exceeded: stored("reserve", {
    ...trade,
    ...marks,
    score: "1.0000",
    total: "9.00",
    yes: both,
    dry_run: true,
    limits,
    exceeded: ["max_positions", "max_daily_loss_pct", "cool_down_minutes"],
  }, { allowed: false, code: "limit_exceeded" }),
};

function replay(head: unknown, some: StoredDecision[] = Object.values(rows)) {
  const run = replayer(decidingPolicyOf(head)!, new Map([[sha, shipped as unknown]]));
  some.forEach(run.take);
  return run.report();
}
const hows = (groups: { gate: string; how: string }[]) =>
  groups.map(({ gate, how }) => `${gate}: ${how}`);

describe("a decision is not reproduced", () => {
  it.each<[string, StoredDecision]>([
    ["whose policy is not on record", { ...rows.plan, policy_sha256: "b".repeat(64) }],
    ["without a policy", { ...rows.plan, policy_sha256: null }],
    ["of a gate that nobody knows", { ...rows.plan, gate: "guess" }],
    ["with an input that cannot be read", stored("plan", {}, { tier: "T2" })],
    [
      "that its policy takes otherwise",
      stored("plan", { source: "service", action: "TRADE" }, { tier: "T2" }),
    ],
    ["whose bound limit was looser than the policy's", {
      ...rows.ask,
      outcome: { ...rows.ask.outcome as object, limits: { max_positions: "4" } },
    }],
    [
      "that let a flagged work pass",
      stored("evaluate", { action: "PUBLISH", ...marks, flagged: true }, {
        tier: "T2",
        threshold: "0.8000",
        verdict: "pass",
      }),
    ],
  ])("%s", (_, row) => {
    const report = replay(shipped, [row]);
    expect(report).toMatchObject({ decisions: 1, reproduced: 0, loosened: [], tightened: [] });
    expect(countOf(report.not_reproduced)).toBe(1);
  });
});

describe("the same policy", () => {
  it("reproduces each kind of decision and decides none differently", () => {
    expect(replay(shipped)).toEqual({
      decisions: Object.keys(rows).length,
      reproduced: Object.keys(rows).length,
      not_reproduced: [],
      loosened: [],
      tightened: [],
    });
  });
});

describe("a new policy loosens", () => {
  it.each<[string, (policy: Loose) => void, string[]]>([
    [
      "a tier",
      (policy) => {
        policy.risk_tiers.T2 = ["SOCIAL_POST"];
        policy.risk_tiers.T1.push("PUBLISH");
        policy.flows.signal.nodes.find((node: Loose) => node.id === "approve").tier = "T1";
      },
      ["plan: T2 → T1"],
    ],
    ["an unknown action", (policy) => policy.risk_tiers.T3.push("DANCE"), ["plan: refused → T3"]],
    ["whose yes counts", (policy) => policy.roles.operator_approval.push("owner"), [
      "decide: a yes of owner counts for operator_approval",
    ]],
    [
      "how many are asked",
      (policy) => policy.approvals.T3 = ["critic>=0.9", "operator_approval", "dry_run_required"],
      ["ask: no owner_approval", "fill: the answers that were too few suffice"],
    ],
    [
      "the dry run",
      (policy) => policy.approvals.T3 = ["critic>=0.9", "operator_approval", "owner_approval"],
      ["ask: no dry run"],
    ],
    ["a limit that bound a request, and one that an account tightened stays", (policy) => {
      policy.limits.trading.max_positions = 5;
      policy.limits.trading.max_daily_loss_pct = 9;
    }, [
      "ask: max_positions 3 → 5",
      "reserve: an effect that was refused would start",
    ]],
    ["the pause between two payments", (policy) => policy.limits.payments.cool_down_minutes = 5, [
      "ask: cool_down_minutes 30 → 5",
      "reserve: an effect that was refused would start",
    ]],
  ])("%s", (_, change, found) => {
    expect(hows(replay(changed(change)).loosened).sort()).toEqual(expect.arrayContaining(found));
    expect(hows(replay(changed(change)).tightened)).toEqual([]);
  });

  it("even where it tightens something else in the same decision", () => {
    const { loosened } = replay(
      changed((policy) =>
        policy.approvals.T3 = ["critic>=0.95", "owner_approval", "dry_run_required"]
      ),
      [rows.ask],
    );
    expect(hows(loosened)).toEqual(["ask: no operator_approval"]);
  });
});

describe("a new policy tightens", () => {
  it.each<[string, (policy: Loose) => void, string[]]>([
    ["a threshold", (policy) => policy.approvals.T2[0] = "critic>=0.9", [
      "evaluate: pass (>=0.8) → fail (>=0.9)",
    ]],
    ["a tier by its flow", (policy) => {
      policy.flows.signal.nodes.find((node: Loose) => node.id === "approve").tier = "T3";
    }, ["plan: T2 → T3"]],
    ["getting out", (policy) => {
      policy.trading.reduce_only_approvals = policy.approvals.T3;
    }, ["ask: also owner_approval"]],
    ["a limit", (policy) => policy.limits.trading.max_positions = 1, ["ask: max_positions 3 → 1"]],
    ["what is left of an action that it no longer names", (policy) => {
      policy.risk_tiers.T3 = ["PAYMENT", "WITHDRAWAL"];
    }, ["reserve: an effect that started would be refused"]],
  ])("%s", (_, change, found) => {
    expect(hows(replay(changed(change)).tightened)).toEqual(expect.arrayContaining(found));
    expect(hows(replay(changed(change)).loosened)).toEqual([]);
  });
});

describe("a report", () => {
  it("groups what is alike, the largest first, with three examples", () => {
    const many = Array.from(
      { length: 9 },
      (_, i) => ({ ...rows.plan, task_id: `T-2027-05-01-000${i}` }),
    );
    const [group] = replay(
      changed((policy) =>
        policy.flows.signal.nodes.find((node: Loose) => node.id === "approve").tier = "T3"
      ),
      [...many, rows.unknown],
    ).tightened;
    expect(group).toMatchObject({ count: 9, gate: "plan", action: "PUBLISH" });
    expect(group.examples).toEqual(["T-2027-05-01-0000", "T-2027-05-01-0001", "T-2027-05-01-0002"]);
  });

  it("reads a policy of an older release, which has fewer sections", () => {
    const { trading: _1, second_factor: _2, payments: _3, emergency: _4, ...older } =
      shipped as Loose;
    const run = replayer(decidingPolicyOf(shipped)!, new Map([[sha, older]]));
    run.take(rows.plan);
    expect(run.report()).toMatchObject({ reproduced: 1, not_reproduced: [] });
  });
});
