import { describe, expect, it } from "vitest";
import type { AccountState } from "../../../functions/_domain/account-state.ts";
import { dryRunSchema, rehearse, sameRehearsal } from "../../../functions/_domain/dry-run.ts";
import { type Order, readOrder } from "../../../functions/_domain/order.ts";
import type { Quote } from "../../../functions/_domain/quote.ts";
import { policy } from "../_agents/critic-scene.ts";
import { account, asked, quote } from "../_agents/trade-scene.ts";

const rules = policy.trading;
const order = readOrder(asked);
const run = (
  change: { order?: Partial<Order>; account?: Partial<AccountState>; quote?: Partial<Quote> } = {},
) =>
  rehearse(
    { ...order, ...change.order },
    { ...quote, ...change.quote },
    { ...account, ...change.account },
    rules,
  );
const limits = (change: Partial<AccountState["limits"]>) => ({
  account: { limits: { ...account.limits, ...change } },
});
const beyond = (rehearsed: ReturnType<typeof run>) =>
  rehearsed.limits.filter(({ within }) => !within).map((
    { name, value, threshold },
  ) => [name, value, threshold]);

describe("a rehearsal", () => {
  it.each<[string, Parameters<typeof run>[0], RegExp]>([
    ["another account", { account: { account_id: "other" } }, /another one/],
    ["a suspended account", { account: { status: "suspended" } }, /suspended/],
    ["the price of another symbol", { quote: { symbol: "ETHUSDT" } }, /another symbol/],
    [
      "a source that the policy does not name",
      { quote: { source: "kraken" } },
      /no price source kraken/,
    ],
    ["another currency", { account: { currency: "EUR" } }, /not priced in EUR/],
    ["a limit that is not reached", { order: { type: "limit", price: "99" } }, /not reached/],
    ["a price at the stop", { quote: { ask: "98" } }, /between stop and target/],
    ["a price at the target", { quote: { ask: "104" } }, /between stop and target/],
    [
      "a reduction of nothing",
      { order: { side: "sell", stop_loss: null, take_profit: null, reduce_only: true } },
      /only 0 is open/,
    ],
  ])("says no to %s", (_, change, why) => {
    const rehearsed = run(change);
    expect(rehearsed.verdict).toBe("fail");
    expect(rehearsed.problems.join()).toMatch(why);
    expect(rehearsed.lines.join()).toMatch(/Dry run: /);
  });

  it("fills at the side's own price, with slippage and fee, and knows what can be lost", () => {
    expect(run({ quote: { bid: "99.9", ask: "100" } })).toMatchObject({
      verdict: "pass",
      problems: [],
      price: "100",
      fill: { side: "buy", quantity: "1", price: "100.05", fee: "0.10005", slippage: "0.05" },
      at_stop: { price: "97.951", fee: "0.097951", result: "-2.297001" },
      at_target: { price: "104", fee: "0.104", result: "3.74595" },
      worst_case_loss: "2.297001",
      worst_case_pct: "0.0229",
      reward_risk: "2",
    });
  });

  it("lets equality pass and nothing beyond it", () => {
    const worst = "2.297001";
    expect(beyond(run({ account: { equity_at_open: "45.94002" } }))).toEqual([]);
    expect(beyond(run({ account: { equity_at_open: "45.848" } })))
      .toEqual([["max_daily_loss_pct", "5.010035", "5"]]);
    expect(beyond(run({ account: { equity_at_open: "0" } }))).toEqual([[
      "max_daily_loss_pct",
      "100",
      "5",
    ]]);
    expect(beyond(run({ account: { open_positions: "2" } }))).toEqual([]);
    expect(beyond(run({ account: { open_positions: "2", in_flight: "1" } })))
      .toEqual([["max_positions", "4", "3"]]);
    expect(beyond(run({ account: { equity: "9000" } }))).toEqual([]);
    expect(beyond(run({ account: { equity: "8999" } }))).toEqual([[
      "max_drawdown_pct",
      "10.01",
      "10",
    ]]);
    expect(beyond(run(limits({ max_order_size: "100" })))).toEqual([]);
    expect(beyond(run(limits({ max_order_size: "99.99" })))).toEqual([[
      "max_order_size",
      "100",
      "99.99",
    ]]);
    expect(beyond(run(limits({ daily_loss_cap: worst })))).toEqual([]);
    expect(beyond(run(limits({ daily_loss_cap: "2.297" })))).toEqual([[
      "daily_loss_cap",
      worst,
      "2.297",
    ]]);
  });

  it("counts what the day lost, what positions can lose and what is under way", () => {
    const used = { day_loss: "200", open_risk: "200", in_flight_loss: "97.702999" };
    expect(beyond(run({ account: used }))).toEqual([]);
    expect(beyond(run({ account: { ...used, in_flight_loss: "97.703" } })))
      .toEqual([["max_daily_loss_pct", "5", "5"]]);
  });

  it("holds a reduction against no limit", () => {
    const rehearsed = run({
      order: { side: "sell", stop_loss: null, take_profit: null, reduce_only: true },
      account: {
        open_positions: "9",
        equity: "1",
        positions: [{ symbol: "BTCUSDT", side: "long", open_quantity: "1" }],
      },
    });
    expect(rehearsed).toMatchObject({
      verdict: "pass",
      limits: [],
      worst_case_loss: "0",
      at_stop: null,
    });
  });

  it("is recognised when it is done again, and a changed figure is not", () => {
    const stored = dryRunSchema.parse({ subject_sha256: "a".repeat(64), ...run() });
    expect(sameRehearsal(stored, order, rules)).toBe(true);
    expect(sameRehearsal(stored, { ...order, quantity: "2" }, rules)).toBe(false);
    expect(sameRehearsal({ ...stored, worst_case_loss: "1" }, order, rules)).toBe(false);
    expect(sameRehearsal({ ...stored, lines: ["All is well"] }, order, rules)).toBe(false);
    expect(sameRehearsal(stored, order, { ...rules, fee_pct: "0" })).toBe(false);
  });
});
