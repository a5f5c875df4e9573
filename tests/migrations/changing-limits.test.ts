import { describe, expect, it } from "vitest";
import * as trading from "../support/trading.ts";
import { clock, db, id, outcomeOf } from "./trading-desk.ts";

const told = async (topic: string) =>
  (await db.owner<{ recipient: string; text: string }>(
    `select recipient, concat_ws(' ', payload_json ->> 'value', 'by', payload_json ->> 'by') as text from public.notifications
       where payload_json ->> 'topic' = $1 and payload_json ->> 'subject' = $2`,
    [topic, id],
  )).map(({ recipient, text }) => `${recipient}: ${text}`).sort();

describe("limits of an account", () => {
  it("are not loosened while the account trades, or holds anything", async () => {
    const looser = { max_order_size: "201" };
    await trading.setLimits(db, id, { max_order_size: "200" });
    const problem = { refused: "forbidden" };
    expect(await trading.setLimits(db, id, looser)).toMatchObject(problem);
    expect(await trading.setLimits(db, id, { max_positions: "1", ...looser })).toMatchObject(
      problem,
    );
    expect(await outcomeOf(trading.wanted(id))).toBe("confirmed");
    await trading.setStatus(db, id, "suspended");
    expect(await trading.setLimits(db, id, looser)).toMatchObject(problem);
    expect(await trading.setLimits(db, id, { max_order_size: "150" })).toMatchObject({
      limits: { max_order_size: "150" },
    });
    expect(await told("account_limits")).toHaveLength(2);
  });

  it("are not loosened while an order is under way", async () => {
    const bridge = `${id}-bridge`;
    await trading.openAccount(db, bridge, { channel: "http-bridge" });
    await trading.setLimits(db, bridge, { daily_loss_cap: "100" });
    const { work } = await trading.approved(db, trading.wanted(bridge));
    await trading.reserve(db, work, { p_channel: "http-bridge" });
    await trading.setStatus(db, bridge, "suspended");
    expect(await trading.setLimits(db, bridge, { daily_loss_cap: "101" })).toMatchObject({
      refused: "forbidden",
    });
  });

  it("are told to every owner when they change, and so is the status; what changes nothing is no news", async () => {
    await trading.setLimits(db, id, { max_order_size: "5", max_positions: "2" });
    await trading.setLimits(db, id, { max_order_size: "5.0" });
    await trading.setStatus(db, id, "suspended");
    expect(await trading.setLimits(db, id, { max_order_size: "6" })).not.toHaveProperty("refused");
    await trading.setStatus(db, id, "active");
    expect(await told("account_limits")).toEqual([
      "1002: max_order_size 5, was not set; max_positions 2, was not set by test",
      "1002: max_order_size 6, was 5 by test",
    ]);
    expect(await told("account_status")).toEqual([
      "1002: active by test",
      "1002: suspended by test",
    ]);
  });
});

describe("an account that is back inside its limits", () => {
  it("has its alert closed, and what breaks them again is another breach that rings", async () => {
    await trading.filled(db, trading.wanted(id, { quantity: "200", stop_loss: "98" }));
    await db.owner(
      "update public.trading_accounts set channel = 'http-bridge' where account_id = $1",
      [id],
    );
    const at = async (price: string) => {
      await clock.advance(1);
      await trading.quote(db, price);
      return await db.owner(
        "select code, closed_at is null as open, closed_by from public.alerts where subject = $1 and code = 'drawdown_breach' order by opened_at",
        [`account:${id}`],
      );
    };
    const breach = { code: "drawdown_breach", closed_by: null };
    expect(await at("94")).toEqual([{ ...breach, open: true }]);
    expect(await at("99.9")).toEqual([{ ...breach, open: false }]);
    expect(await at("94")).toEqual([{ ...breach, open: false }, { ...breach, open: true }]);
    const [{ rung }] = await db.owner<{ rung: string }>(
      "select count(*)::text as rung from public.notifications where recipient = '1002' and payload_json ->> 'code' = 'drawdown_breach' and payload_json ->> 'subject' = $1",
      [`account:${id}`],
    );
    expect(rung).toBe("2");
  });
});
