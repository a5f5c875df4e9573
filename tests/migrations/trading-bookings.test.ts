import { describe, expect, it } from "vitest";
import * as line from "../support/line.ts";
import * as trading from "../support/trading.ts";
import { clock, db, fillsOf, id, outcomeOf, resultsOf } from "./trading-desk.ts";

const price = async (value: string, more: Record<string, unknown> = {}) => {
  await clock.advance(1);
  return await trading.quote(db, value, more);
};

const figureOf = async (figure: string, subject = id) =>
  (await db.owner<Record<string, string | number>>(
    "select trim_scale(value)::text as value, samples, status from public.trading_figures where figure = $1 and subject = $2",
    [figure, subject],
  ))[0];

describe("what an account holds", () => {
  it("is written by nobody but the commands, and never changed", async () => {
    await trading.filled(db, trading.wanted(id));
    await price("98");
    for (const table of ["orders", "fills", "trade_results", "quotes", "account_days"]) {
      await expect(db.owner(`delete from public.${table} where true`)).rejects.toThrow(
        /history_is_append_only/,
      );
    }
    await expect(db.owner("update public.fills set price = 1")).rejects.toThrow(
      /history_is_append_only|generated/,
    );
    for (const role of ["service_role", "authenticated", "anon"]) {
      await expect(
        db.as(
          role,
          "insert into public.quotes (symbol, source, price, observed_at) values ('A1', 'b', 1, now())",
        ),
      ).rejects.toThrow(/permission denied/);
    }
  });

  it("cannot be a half bracket, whoever writes it", async () => {
    const task = await trading.filled(db, trading.wanted(id));
    const half = (stop: string, target: string, reduce: string) =>
      db.owner(
        `insert into public.orders (account_id, task_id, effect_id, channel, symbol, side, quantity, type, stop_loss, take_profit, reduce_only)
         select $1, $2, e.effect_id, 'paper', 'BTCUSDT', 'buy', 1, 'market', ${stop}, ${target}, ${reduce}
         from public.effects e where e.task_id = $2`,
        [id, task],
      );
    await expect(half("98", "null", "false")).rejects.toThrow(/entry_stop_and_target_are_one/);
    await expect(half("98", "104", "true")).rejects.toThrow(/entry_stop_and_target_are_one/);
    await expect(half("104", "98", "false")).rejects.toThrow(/stop_and_target_lie_on_their_sides/);
  });
});

describe("a price", () => {
  it("comes from a source of the policy, with its own time, and is no alert's", async () => {
    const refused = async (more: Record<string, unknown>, value = "100") =>
      (await trading.quote(db, value, more)).refused;
    expect(await refused({ source: "tradingview" })).toBe("invalid_request");
    expect(await refused({ source: null })).toBe("invalid_request");
    expect(await refused({ symbol: "btc" })).toBe("invalid_request");
    expect(await refused({}, "0")).toBe("invalid_request");
    expect(await refused({}, "-1")).toBe("invalid_request");
    expect(await refused({ bid: "101", ask: "100" })).toBe("invalid_request");
    expect(await refused({ observed_at: "yesterday" })).toBe("invalid_request");
    expect(await refused({ observed_at: "2027-02-31T00:00:00Z" })).toBe("invalid_request");
    expect(await refused({ observed_at: await trading.moment(db, 6) })).toBe("invalid_request");
    const age = line.policy.trading.max_quote_age_seconds;
    expect(await refused({ observed_at: await trading.moment(db, -age - 0.001) })).toBe(
      "quote_stale",
    );
    expect(await refused({ observed_at: await trading.moment(db, -age) })).toBeUndefined();
    await expect(db.owner(
      "insert into public.quotes (symbol, source, price, observed_at) values ('BTCUSDT', 'tradingview', 1, private.now())",
    )).rejects.toThrow(/an_alert_is_no_quote_source/);
  });

  it("that comes late does not replace a newer one, and the same one comes once", async () => {
    const at = await trading.moment(db);
    const first = await trading.quote(db, "101", { observed_at: at });
    expect(await trading.quote(db, "50", { observed_at: await trading.moment(db, -5) }))
      .toMatchObject({ price: "101" });
    expect(await trading.quote(db, "99", { observed_at: at })).toMatchObject({
      quote_id: first.quote_id,
      price: "101",
    });
  });

  it("closes at the stop what it has reached, at the price that one gets", async () => {
    await trading.filled(db, trading.wanted(id));
    await price("98.01");
    expect(await fillsOf(id)).toHaveLength(1);
    await price("98");
    expect(await fillsOf(id)).toEqual([
      { kind: "entry", side: "buy", quantity: "1", price: "100.05", fee: "0.10005" },
      { kind: "stop_loss", side: "sell", quantity: "1", price: "97.951", fee: "0.097951" },
    ]);
    // The worst case of the dry run, to the last digit.
    expect(await resultsOf(id)).toEqual([
      { pnl: "-2.297001", r: "-1.1205", slippage: "0.099", sl_ok: true, tp_ok: null },
    ]);
    await price("97");
    expect(await fillsOf(id)).toHaveLength(2);
  });

  it("that jumps over a stop is sold at what there is, and the stop was not kept", async () => {
    await trading.filled(db, trading.wanted(id));
    await price("96");
    expect(await resultsOf(id)).toMatchObject([{ sl_ok: false, tp_ok: null }]);
    expect(await figureOf("sl_adherence")).toEqual({ value: "0", samples: 1, status: "no_target" });
  });

  it("closes at the target what it has reached, at the target's own price", async () => {
    await trading.filled(db, trading.wanted(id));
    await price("110");
    expect((await fillsOf(id)).at(-1)).toMatchObject({ kind: "take_profit", price: "104" });
    expect(await resultsOf(id)).toMatchObject([{ pnl: "3.74595", sl_ok: true, tp_ok: true }]);
  });

  it("is the ask for whoever has to buy back", async () => {
    await trading.filled(
      db,
      trading.wanted(id, { side: "sell", stop_loss: "102", take_profit: "96" }),
    );
    expect(await price("101", { bid: "100", ask: "101.99" })).toMatchObject({ closed: 0 });
    expect(await price("101", { bid: "100", ask: "102" })).toMatchObject({ closed: 1 });
    expect((await fillsOf(id)).at(-1)).toMatchObject({
      kind: "stop_loss",
      side: "buy",
      price: "102.051",
    });
  });

  it("does not close what a broker holds", async () => {
    await trading.filled(db, trading.wanted(id));
    await db.owner(
      "update public.trading_accounts set channel = 'http-bridge' where account_id = $1",
      [id],
    );
    expect(await price("90")).toMatchObject({ closed: 0 });
  });
});

describe("a reduction", () => {
  it("closes the oldest first, and its fee is shared out to the last digit", async () => {
    await trading.filled(db, trading.wanted(id));
    await clock.advance(1);
    await trading.filled(db, trading.wanted(id));
    expect(await outcomeOf(trading.reduction(id, { quantity: "1.3" }))).toBe("confirmed");
    const fills = (await fillsOf(id)).filter(({ kind }) => kind === "reduction");
    expect(fills.map(({ quantity }) => quantity)).toEqual(["1", "0.3"]);
    // 1.3 × 99.95 × 0.1 %
    expect(fills.map(({ fee }) => Number(fee)).reduce((a, b) => a + b)).toBeCloseTo(0.129935, 12);
    const open = await db.owner<{ open: string }>(
      "select trim_scale(open_quantity)::text as open from public.positions where account_id = $1 order by opened_at",
      [id],
    );
    expect(open.map((row) => row.open)).toEqual(["0", "0.7"]);
    expect(await resultsOf(id)).toHaveLength(1);
  });
});

describe("the equity", () => {
  it("is the opening balance and every result, whatever happened", async () => {
    await trading.filled(db, trading.wanted(id));
    await price("98");
    await clock.advance(1);
    await trading.filled(db, trading.wanted(id));
    await price("104");
    const [{ sum }] = await db.owner<{ sum: string }>(
      "select trim_scale(10000 + sum(pnl))::text as sum from public.trade_results where account_id = $1",
      [id],
    );
    expect(await trading.account(db, id)).toMatchObject({ equity: sum, open_positions: "0" });
  });

  it("raises the peak that a drawdown is measured from", async () => {
    await trading.filled(db, trading.wanted(id, { quantity: "10", take_profit: "120" }));
    await price("110");
    const { peak_equity } = await trading.account(db, id);
    expect(Number(peak_equity)).toBeCloseTo(10000 + 100 - 0.5 - 1.0005, 6);
    await price("105");
    expect(await trading.account(db, id)).toMatchObject({ peak_equity });
  });
});

describe("the figures", () => {
  it("are unknown while there is nothing to measure", async () => {
    for (
      const figure of [
        "win_rate",
        "max_drawdown",
        "sl_adherence",
        "tp_adherence",
        "slippage",
        "rule_violations",
      ]
    ) {
      expect(await figureOf(figure)).toMatchObject({ samples: 0, status: "unknown", value: null });
    }
  });

  it("follow from fills and results", async () => {
    await trading.filled(db, trading.wanted(id));
    await price("98");
    await clock.advance(1);
    await trading.filled(db, trading.wanted(id));
    await price("104");
    expect(await figureOf("win_rate")).toEqual({ value: "0.5", samples: 2, status: "no_target" });
    expect(await figureOf("sl_adherence")).toMatchObject({ value: "1", samples: 2 });
    expect(await figureOf("tp_adherence")).toMatchObject({ value: "1", samples: 1 });
    expect(await figureOf("max_drawdown")).toMatchObject({ samples: 2, status: "met" });
    expect(await figureOf("slippage")).toMatchObject({ samples: 4 });
    expect(await figureOf("rule_violations")).toEqual({ value: "0", samples: 2, status: "met" });
    expect(await figureOf("win_rate", "all")).toMatchObject({ status: "no_target" });
  });

  it("count an order that nobody approved", async () => {
    const task = await trading.filled(db, trading.wanted(id));
    await db.owner("alter table public.approval_requests disable trigger user");
    await db.owner("update public.approval_requests set status = 'rejected' where task_id = $1", [
      task,
    ]);
    await db.owner("alter table public.approval_requests enable trigger user");
    expect(await figureOf("rule_violations")).toEqual({ value: "1", samples: 1, status: "missed" });
  });
});

describe("the job of the day", () => {
  it("stores every account's equity at 00:00 UTC, late or not, once", async () => {
    await trading.filled(db, trading.wanted(id));
    await price("101");
    await clock.advance(86_400);
    const days = () =>
      db.owner<{ day: string; equity: string }>(
        "select day::text as day, trim_scale(equity_at_open)::text as equity from public.account_days where account_id = $1 order by day",
        [id],
      );
    expect(await days()).toHaveLength(1);
    await db.owner("select private.open_account_days()");
    await db.owner("select private.open_account_days()");
    // 10000 − 100.05 − 0.10005 + 101
    expect(await days()).toMatchObject([{ equity: "10000" }, { equity: "10000.84995" }]);
  });
});

describe("accounts", () => {
  it("are opened once, whole or not at all", async () => {
    expect(await trading.openAccount(db, id)).toMatchObject({ refused: "invalid_request" });
    for (
      const more of [{ channel: "bank" }, { currency: "usdt" }, { opening_balance: "0" }, {
        opening_balance: 5,
        account_id: "A B",
      }]
    ) {
      expect(await trading.openAccount(db, "paper-x", more)).toMatchObject({
        refused: "invalid_request",
      });
    }
    expect(await trading.setStatus(db, "nobody", "active")).toMatchObject({
      refused: "unknown_account",
    });
    expect(await trading.setStatus(db, id, "closed")).toMatchObject({ refused: "invalid_request" });
    expect(await trading.account(db, "nobody")).toMatchObject({ refused: "unknown_account" });
  });
});
