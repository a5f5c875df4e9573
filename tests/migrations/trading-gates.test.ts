import { describe, expect, it } from "vitest";
import * as line from "../support/line.ts";
import * as trading from "../support/trading.ts";
import { alerts, clock, db, id, outcomeOf } from "./trading-desk.ts";

const reasonOf = async (taskId: string) => (await trading.refusedFor(db, taskId)).at(-1);

describe("the gate of a trade", () => {
  it("knows its account", async () => {
    const { work } = await trading.approved(db, trading.wanted(id));
    const order = trading.orderOf(work);
    // The payload cannot name another account than the proposal, so the gate itself is asked.
    const problem = async (more: object, channel = "paper") =>
      (await db.owner<{ code: string | null }>(
        `select private.order_problem(t, $2::jsonb, $3) as code from public.tasks t where t.task_id = $1`,
        [work.task_id, JSON.stringify({ ...order, ...more }), channel],
      ))[0].code;
    expect(await problem({ account_id: "nobody" })).toBe("unknown_account");
    expect(await problem({ symbol: "BTCEUR" })).toBe("invalid_request");
    expect(await problem({}, "http-bridge")).toBe("no_channel");
    expect(await problem({ quantity: "0" })).toBe("invalid_request");
    expect(await problem({ quantity: "1e3" })).toBe("invalid_request");
    expect(await problem({ type: "limit" })).toBe("invalid_request");
    expect(await problem({ price: "99" })).toBe("invalid_request");
    expect(await problem({ reduce_only: "false" })).toBe("invalid_request");
    expect(await problem({ stop_loss: null })).toBe("incomplete_bracket");
    expect(await problem({ take_profit: null })).toBe("incomplete_bracket");
    expect(await problem({ stop_loss: "105" })).toBe("incomplete_bracket");
    expect(await problem({ side: "sell" })).toBe("incomplete_bracket");
    expect(await problem({ reduce_only: true })).toBe("incomplete_bracket");
    expect(await problem({})).toBeNull();
  });

  it("refuses another order than the one that was approved", async () => {
    const { work } = await trading.approved(db, trading.wanted(id));
    const order = { ...trading.orderOf(work), quantity: "2" };
    expect(await trading.reserve(db, work, { p_payload: order })).toMatchObject({
      refused: "digest_drift",
    });
  });

  it("leaves a suspended account alone, and takes it up again", async () => {
    const { taskId, work } = await trading.approved(db, trading.wanted(id));
    await trading.setStatus(db, id, "suspended", "margin call");
    expect(await trading.reserve(db, work)).toMatchObject({ refused: "account_suspended" });
    expect(await reasonOf(taskId)).toMatchObject({ reason: "margin call" });
    await trading.setStatus(db, id, "active");
    expect(await trading.reserve(db, work)).toMatchObject({ status: "confirmed" });
  });

  it("does not send an order to another channel than its account's", async () => {
    const { work } = await trading.approved(db, trading.wanted(id));
    expect(await trading.reserve(db, work, { p_channel: "http-bridge" })).toMatchObject({
      refused: "no_channel",
    });
  });

  it("takes a price of the oldest age that the policy allows, and none that is older", async () => {
    const age = line.policy.trading.max_quote_age_seconds;
    expect(await outcomeOf(trading.wanted(id), "100", () => clock.advance(age + 0.001)))
      .toBe("quote_stale");
    await trading.quote(db, "100");
    expect(await outcomeOf(trading.wanted(id), "100", () => clock.advance(age))).toBe("confirmed");
  });

  it("takes no price of a source that the policy does not name, not even a stored one", async () => {
    const { taskId, work } = await trading.approved(db, trading.wanted(id));
    await clock.advance(1);
    await db.owner(
      "insert into public.quotes (symbol, source, price, observed_at) values ('BTCUSDT', 'kraken', 100, private.now())",
    );
    expect(await trading.reserve(db, work)).toMatchObject({ refused: "quote_stale" });
    expect(await reasonOf(taskId)).toMatchObject({ source: "kraken" });
  });

  it("lets the price move as far as the policy says and no further, in either direction", async () => {
    expect(line.policy.trading.max_price_drift_pct).toBe("0.5");
    const moved = (price: string) => async () => {
      await clock.advance(1);
      await trading.quote(db, price);
    };
    expect(await outcomeOf(trading.wanted(id), "100", moved("100.51"))).toBe("price_moved");
    expect(await outcomeOf(trading.wanted(id), "100", moved("99.49"))).toBe("price_moved");
    expect(await outcomeOf(trading.wanted(id), "100", moved("100.5"))).toBe("confirmed");
    expect(await outcomeOf(trading.wanted(id), "100", moved("99.5"))).toBe("confirmed");
  });

  it("holds a buyer to the ask and a seller to the bid", async () => {
    const wide = { bid: "99.4", ask: "100.6" };
    const widened = async () => {
      await clock.advance(1);
      await trading.quote(db, "100", wide);
    };
    expect(await outcomeOf(trading.wanted(id), "100", widened)).toBe("price_moved");
    const short = trading.wanted(id, { side: "sell", stop_loss: "102", take_profit: "96" });
    expect(await outcomeOf(short, "100", widened)).toBe("price_moved");
  });

  it("fills a limit order at its limit or better, now or not at all", async () => {
    const limited = trading.wanted(id, { type: "limit", price: "100.02" });
    const up = async () => {
      await clock.advance(1);
      await trading.quote(db, "100.03");
    };
    expect(await outcomeOf(limited, "100", up)).toBe("price_moved");
    expect(await outcomeOf(limited)).toBe("confirmed");
    const [fill] = await db.owner<{ price: string }>(
      "select trim_scale(price)::text as price from public.fills where account_id = $1",
      [id],
    );
    // The touch is 100 and slips to 100.05; the limit caps it.
    expect(fill.price).toBe("100.02");
  });

  it("does not open what its own stop would close at once", async () => {
    const tight = trading.wanted(id, { stop_loss: "99.8", take_profit: "104" });
    const down = async () => {
      await clock.advance(1);
      await trading.quote(db, "99.8");
    };
    expect(await outcomeOf(tight, "100", down)).toBe("price_moved");
  });

  it("refuses an account whose equity nobody knows, and says what is missing", async () => {
    const { taskId, work } = await trading.approved(db, trading.wanted(id));
    // A day later: the row of the new day follows from what was stored, so all is well.
    await clock.set("2027-05-02T00:00:01.000Z");
    await trading.quote(db, "100");
    // A holding without a price, as a broker might report one.
    await db.owner(
      `insert into public.fills (account_id, order_id, position_id, kind, symbol, side, quantity, price, reference_price, fee, slippage, origin, executed_at)
       select $1, o.order_id, o.order_id, 'entry', 'NOPRICEUSDT', 'buy', 1, 1, 1, 0, 0, 'reported', '2027-05-01T12:00:00Z'
       from public.orders o limit 1`,
      [id],
    );
    expect(await trading.account(db, id)).toMatchObject({
      refused: "unknown_account",
      reason: expect.stringMatching(/no price on record/),
    });
    const code = (await db.owner<{ code: string }>(
      "select private.order_problem(t, $2::jsonb, 'paper') as code from public.tasks t where t.task_id = $1",
      [taskId, JSON.stringify(trading.orderOf(work))],
    ))[0].code;
    expect(code).toBe("unknown_account");
    expect(await reasonOf(taskId)).toMatchObject({ reason: expect.stringMatching(/no price/) });
    // With a price of today it is known what the account is worth, and still not what it was worth at midnight.
    await db.owner(
      "insert into public.quotes (symbol, source, price, observed_at) values ('NOPRICEUSDT', 'binance', 1, private.now())",
    );
    expect(await trading.account(db, id)).toMatchObject({
      refused: "unknown_account",
      reason: expect.stringMatching(/at 00:00 UTC is not on record/),
    });
    expect(await db.owner("select private.open_account_days()")).toHaveLength(1);
    expect(await alerts(`account:${id}`)).toMatchObject([{ code: "equity_unknown" }]);
  });
});

describe("a reduction", () => {
  it("is refused where nothing is open, or less than it would close", async () => {
    expect(await trading.toGate(db, trading.reduction(id)).then((task) => line.statusOf(db, task)))
      .toBe("rejected");
    await trading.filled(db, trading.wanted(id));
    const more = await trading.toGate(db, trading.reduction(id, { quantity: "1.1" }));
    expect(await line.statusOf(db, more)).toBe("rejected");
    const wrongSide = await trading.toGate(db, trading.reduction(id, { side: "buy" }));
    expect(await line.statusOf(db, wrongSide)).toBe("rejected");
  });

  it("needs one operator and no owner", async () => {
    await trading.filled(db, trading.wanted(id));
    const taskId = await trading.toGate(db, trading.reduction(id));
    const [request] = await db.owner<{ slots: string[] }>(
      "select required_slots as slots from public.approval_requests where task_id = $1",
      [taskId],
    );
    expect(request.slots).toEqual(["operator_approval"]);
  });

  it("gets out even where every limit is reached", async () => {
    await trading.filled(db, trading.wanted(id));
    await trading.setLimits(db, id, {
      max_positions: 0,
      max_order_size: "0",
      daily_loss_cap: "0",
      max_drawdown_pct: "0",
    });
    expect(await outcomeOf(trading.reduction(id))).toBe("confirmed");
    expect(await trading.account(db, id)).toMatchObject({ open_positions: "0" });
  });

  it("asks for two people again when its position is gone", async () => {
    await trading.filled(db, trading.wanted(id));
    const { taskId, work } = await trading.approved(db, trading.reduction(id));
    await clock.advance(1);
    await trading.quote(db, "97");
    await trading.quote(db, "100", { observed_at: await trading.moment(db, 0.5) });
    const { refused } = await trading.reserve(db, work);
    expect(["digest_drift", "position_missing"]).toContain(refused);
    expect(await line.statusOf(db, taskId)).not.toBe("publishing");
  });
});
