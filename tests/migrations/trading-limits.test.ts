import { describe, expect, it } from "vitest";
import * as line from "../support/line.ts";
import * as trading from "../support/trading.ts";
import { alerts, clock, db, id, outcomeOf } from "./trading-desk.ts";

/** The worst case of the order around 100: (100.05 − 97.951) in price, and both fees. */
const worst = "2.297001";

let others = 0;
const account = async (more: Record<string, unknown>): Promise<string> => {
  const name = `sized-${++others}`;
  await trading.openAccount(db, name, more);
  return name;
};

describe("the daily loss", () => {
  it("passes at exactly 5.0 % of the equity at 00:00 UTC", async () => {
    // 2.297001 is 5 % of 45.94002.
    expect(await outcomeOf(trading.wanted(await account({ opening_balance: "45.94002" }))))
      .toBe("confirmed");
  });

  it("is refused at 5.01 %, with a critical alert that names the limit", async () => {
    const small = await account({ opening_balance: "45.848" });
    const { taskId, work } = await approvedUnder(small);
    expect(await trading.reserve(db, work)).toMatchObject({ refused: "limit_exceeded" });
    expect((await trading.refusedFor(db, taskId)).at(-1)).toMatchObject({
      limit: "max_daily_loss_pct",
      value: "5.010035",
      threshold: "5",
    });
    expect(await alerts(`account:${small}:max_daily_loss_pct`)).toEqual([
      { code: "limit_exceeded", severity: "critical", value: "5.010035", threshold: "5" },
    ]);
    const told = await db.owner(
      "select 1 from public.notifications where payload_json ->> 'topic' = 'alert' and payload_json ->> 'subject' = $1",
      [`account:${small}:max_daily_loss_pct`],
    );
    expect(told.length).toBeGreaterThan(0);
  });

  it("counts what the day has lost already, from the equity at 00:00 UTC and not from now", async () => {
    await trading.filled(db, trading.wanted(id, { quantity: "100" }));
    await clock.advance(1);
    await trading.quote(db, "98.5");
    const state = await trading.account(db, id);
    expect(state).toMatchObject({ equity_at_open: "10000" });
    expect(Number(state.day_loss)).toBeGreaterThan(150);
    // 165.005 are lost; 150 more units could lose over 500 in all.
    const order = { stop_loss: "96.5", take_profit: "104", quantity: "150" };
    await expectRefused(trading.wanted(id, order), "98.5", "max_daily_loss_pct");
    expect(await outcomeOf(trading.wanted(id, { ...order, quantity: "100" }), "98.5"))
      .toBe("confirmed");
  });

  it("starts anew at 00:00 UTC, from what the account was worth then", async () => {
    await trading.filled(db, trading.wanted(id, { quantity: "100" }));
    await clock.set("2027-05-01T23:59:59.000Z");
    await trading.quote(db, "99");
    await clock.set("2027-05-02T00:00:10.000Z");
    await trading.quote(db, "98.9");
    const state = await trading.account(db, id);
    // 10000 − 10005 − 10.005 + 100 × 99, as of the last price before midnight.
    expect(state).toMatchObject({ equity_at_open: "9884.995" });
    expect(state).toMatchObject({ equity: "9874.995", day_loss: "10" });
  });

  it("knows a cap in money, which equality reaches and does not break", async () => {
    await trading.setLimits(db, id, { daily_loss_cap: "2.297" });
    await expectRefused(trading.wanted(id), "100", "daily_loss_cap");
    await loosened(id, { daily_loss_cap: worst });
    expect(await outcomeOf(trading.wanted(id))).toBe("confirmed");
  });
});

describe("the positions", () => {
  it("are three at most", async () => {
    for (let open = 0; open < 3; open++) {
      expect(await outcomeOf(trading.wanted(id))).toBe("confirmed");
    }
    await expectRefused(trading.wanted(id), "100", "max_positions");
    expect(await alerts(`account:${id}:max_positions`)).toMatchObject([
      { severity: "critical", value: "4", threshold: "3" },
    ]);
  });

  it("may be fewer for one account", async () => {
    await trading.setLimits(db, id, { max_positions: "1" });
    expect(await outcomeOf(trading.wanted(id))).toBe("confirmed");
    await expectRefused(trading.wanted(id), "100", "max_positions");
  });

  it("count orders whose outcome is open", async () => {
    const bridge = await account({ channel: "http-bridge" });
    await trading.setLimits(db, bridge, { max_positions: "1" });
    const first = await approvedUnder(bridge);
    const second = await approvedUnder(bridge);
    const sent = { p_channel: "http-bridge" };
    const { effect_id, status } = await trading.reserve(db, first.work, sent);
    expect(status).toBe("reserved");
    expect(await trading.reserve(db, second.work, sent)).toMatchObject({
      refused: "limit_exceeded",
    });
    // Its own reservation does not stand in its way when it starts.
    expect(await line.start(db, effect_id, first.work)).toMatchObject({ status: "sent" });
    expect(await trading.account(db, bridge)).toMatchObject({
      in_flight: "1",
      in_flight_loss: worst,
    });
  });
});

describe("the drawdown", () => {
  const below = async (opening_balance: string) => {
    const name = await account({ opening_balance });
    await db.owner("update public.trading_accounts set peak_equity = 10000 where account_id = $1", [
      name,
    ]);
    return name;
  };

  it("passes at exactly 10 % below the peak", async () => {
    expect(await outcomeOf(trading.wanted(await below("9000")))).toBe("confirmed");
  });

  it("is refused at 10.01 %", async () => {
    const name = await below("8999");
    await expectRefused(trading.wanted(name), "100", "max_drawdown_pct");
    expect(await alerts(`account:${name}:max_drawdown_pct`)).toMatchObject([
      { severity: "critical", value: "10.01", threshold: "10" },
    ]);
  });
});

describe("the order size", () => {
  it("is held against the price of now, equality passes", async () => {
    await trading.setLimits(db, id, { max_order_size: "99.99" });
    await expectRefused(trading.wanted(id), "100", "max_order_size");
    await loosened(id, { max_order_size: "100" });
    expect(await outcomeOf(trading.wanted(id))).toBe("confirmed");
  });

  it("in another currency than the account's lets nothing pass", async () => {
    await trading.setLimits(db, id, { max_order_size: "1000000" });
    await db.owner("update public.limits set currency = 'EUR' where account_id = $1", [id]);
    await expectRefused(trading.wanted(id), "100", "max_order_size");
  });
});

describe("limits of an account", () => {
  it("only tighten what the policy says, and are decimals", async () => {
    expect(await trading.setLimits(db, "nobody", { max_positions: "1" })).toMatchObject({
      refused: "unknown_account",
    });
    const loose = [{ max_positions: "4" }, { max_drawdown_pct: "10.01" }];
    const malformed = [
      {},
      { max_positions: "1.5" },
      { max_order_size: "-1" },
      { kyc_status: "x" },
      {
        daily_loss_cap: null,
      },
    ];
    for (const limits of [...loose, ...malformed]) {
      expect(await trading.setLimits(db, id, limits)).toMatchObject({ refused: "invalid_request" });
    }
    expect(await trading.setLimits(db, id, { max_drawdown_pct: "9.5", max_positions: "2" }))
      .toMatchObject({ limits: { max_drawdown_pct: "9.5", max_positions: "2" } });
    expect(await trading.setLimits(db, id, { max_order_size: "5" })).toMatchObject({
      limits: { max_drawdown_pct: "9.5", max_positions: "2", max_order_size: "5" },
    });
  });

  it("are bound to the approval: one that changes voids the yes", async () => {
    const { taskId, work } = await approvedUnder(id);
    await trading.setLimits(db, id, { max_positions: "2" });
    expect(await trading.reserve(db, work)).toMatchObject({ refused: "digest_drift" });
    expect(await line.statusOf(db, taskId)).toBe("awaiting_approval");
  });
});

describe("a market that breaks a limit by itself", () => {
  it("rings once, and is a breach of trading", async () => {
    await trading.filled(db, trading.wanted(id, { quantity: "200", stop_loss: "98" }));
    await db.owner(
      "update public.trading_accounts set channel = 'http-bridge' where account_id = $1",
      [
        id,
      ],
    );
    for (const price of ["90", "89"]) {
      await clock.advance(1);
      await trading.quote(db, price);
    }
    const rung = await alerts(`account:${id}`);
    expect(rung.map(({ code }) => code).sort()).toEqual(["daily_loss_breach", "drawdown_breach"]);
    expect(rung.every(({ severity }) => severity === "critical")).toBe(true);
    const [figure] = await db.owner<{ value: string; status: string }>(
      "select trim_scale(value)::text as value, status from public.trading_figures where figure = 'limit_breaches' and subject = $1",
      [id],
    );
    expect(figure).toEqual({ value: "2", status: "missed" });
  });
});

/** As an administrator has to: suspended, with nothing open, and everybody is told. */
async function loosened(name: string, limits: Record<string, unknown>): Promise<void> {
  await trading.setStatus(db, name, "suspended");
  expect(await trading.setLimits(db, name, limits)).not.toHaveProperty("refused");
  await trading.setStatus(db, name, "active");
}

/** The critic refuses what its rehearsal shows to be beyond a limit: the gate is asked about an order that got past it. */
const approvedUnder = async (name: string) => {
  await clock.advance(1);
  return await trading.approved(db, trading.wanted(name), "100", { wealthy: true });
};

async function expectRefused(
  payload: Parameters<typeof trading.approved>[1],
  price: string,
  limit: string,
): Promise<void> {
  await clock.advance(1);
  const { taskId, work } = await trading.approved(db, payload, price, { wealthy: true });
  expect(await trading.reserve(db, work)).toMatchObject({ refused: "limit_exceeded" });
  expect((await trading.refusedFor(db, taskId)).map((facts) => facts.limit)).toContain(limit);
}
