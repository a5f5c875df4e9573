import { describe, expect, it } from "vitest";
import { evaluate } from "../../../functions/_agents/critic.ts";
import type { Subject } from "../../../functions/_agents/critic-subject.ts";
import { act, policy, tier } from "./critic-scene.ts";
import { tradeSubject } from "./trade-scene.ts";

const verdictOf = (subject: Subject) =>
  evaluate(subject, { threshold: 0, judge: null, tool: (_, run) => run() });

const without = (subject: Subject): Subject => {
  const { order: _, ...rest } = JSON.parse(subject.artifact.content);
  return { ...subject, artifact: act("proposal", rest) };
};

describe("the critic of a trade", () => {
  it.each<[string, Subject, RegExp]>([
    ["no order", without(tradeSubject()), /policy: order_missing/],
    ["no rehearsal", tradeSubject({ dryRun: null }), /policy: dry_run_missing/],
    [
      "a rehearsal of another proposal",
      tradeSubject({ dryRun: { subject_sha256: "0".repeat(64) } }),
      /policy: dry_run_missing/,
    ],
    [
      "a rehearsal that cannot be read",
      tradeSubject({ dryRun: { price: 100 } }),
      /policy: dry_run_missing/,
    ],
    [
      "a rehearsal with better figures than come out",
      tradeSubject({ dryRun: { worst_case_loss: "0" } }),
      /policy: dry_run_disagrees/,
    ],
    [
      "a rehearsal that says pass of what fails",
      tradeSubject({ account: { status: "suspended" }, dryRun: { verdict: "pass", problems: [] } }),
      /policy: dry_run_disagrees/,
    ],
    [
      "another size than was asked for",
      tradeSubject({ order: { quantity: "2" } }),
      /policy: order_differs: quantity/,
    ],
    [
      "another account",
      tradeSubject({ order: { account_id: "paper-2" } }),
      /policy: order_differs: account_id/,
    ],
    [
      "a wider stop",
      tradeSubject({ order: { stop_loss: "97" } }),
      /policy: order_differs: stop_loss/,
    ],
    [
      "too many positions",
      tradeSubject({ account: { open_positions: "3" } }),
      /policy: limit_exceeded: max_positions 4 of 3/,
    ],
    [
      "too large a loss",
      tradeSubject({ payload: { quantity: "300" } }),
      /policy: limit_exceeded: max_daily_loss_pct/,
    ],
    [
      "a suspended account",
      tradeSubject({ account: { status: "suspended" } }),
      /policy: dry_run_failed: the account is suspended/,
    ],
    ["an unnamed source", tradeSubject({ quote: { source: "kraken" } }), /policy: dry_run_failed/],
    [
      "too little reward",
      tradeSubject({ payload: { take_profit: "102.99" } }),
      /risk: reward_risk: below 1\.5/,
    ],
    ["no target", tradeSubject({ order: { take_profit: null } }), /risk: incomplete_bracket/],
    [
      "a stop on the other side",
      tradeSubject({ order: { stop_loss: "105" } }),
      /risk: incomplete_bracket/,
    ],
    ["a price beyond the stop", tradeSubject({ quote: { price: "97" } }), /risk: wrong_side/],
  ])("fails %s, by name", async (_, subject, flag) => {
    const evaluation = await verdictOf(subject);
    expect(evaluation.verdict).toBe("fail");
    expect(evaluation.red_flags.join("\n")).toMatch(flag);
    expect(evaluation.total).toBeLessThan(9);
  });

  it.each<[string, Subject]>([
    ["a bracketed order at the market", tradeSubject()],
    ["exactly the least reward", tradeSubject({ payload: { take_profit: "103" } })],
    ["a limit that is reached", tradeSubject({ payload: { type: "limit", price: "100.01" } })],
    [
      "a seller's order",
      tradeSubject({ payload: { side: "sell", stop_loss: "102", take_profit: "96" } }),
    ],
    [
      "a reduction within what is open",
      tradeSubject({
        payload: { side: "sell", reduce_only: true, stop_loss: null, take_profit: null },
        account: {
          open_positions: "9",
          positions: [{ symbol: "BTCUSDT", side: "long", open_quantity: "1" }],
        },
      }),
    ],
  ])("passes %s with 9 of 9", async (_, subject) => {
    expect(await verdictOf(subject)).toMatchObject({ total: 9, verdict: "pass", red_flags: [] });
  });

  it("says what it holds against another T3 action without any order", async () => {
    const subject = tradeSubject();
    const other = { ...subject, task: { ...subject.task, ...tier("T3", "WITHDRAWAL") } };
    expect((await verdictOf(other)).red_flags.join()).toMatch(/asked was WITHDRAWAL/);
    expect(policy.trading.min_reward_risk).toBe("1.5");
  });
});
