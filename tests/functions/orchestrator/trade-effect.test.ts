import { describe, expect, it } from "vitest";
import type { QuoteChannel } from "../../../functions/_channels/quotes.ts";
import type { Placed } from "../../../functions/_domain/broker.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { marketOf, watchPositions } from "../../../functions/orchestrator/market.ts";
import { executeTrade, type TradeDeps } from "../../../functions/orchestrator/trade-effect.ts";
import * as line from "../../support/line.ts";
import * as trading from "../../support/trading.ts";
import { broker, clock, db, deps, leased, market, source, stateOf } from "./trade-scene.ts";

describe("the effect of a trade", () => {
  it("waits for a price, and uses no approval up meanwhile", async () => {
    const { taskId, work } = await leased("paper");
    market.trouble = new Refusal("unavailable");
    await expect(executeTrade(deps, work)).rejects.toMatchObject({ code: "quote_stale" });
    for (const code of ["rate_limited", "insufficient_data", "url_denied"] as const) {
      market.trouble = new Refusal(code);
      await expect(executeTrade(deps, work)).rejects.toMatchObject({ code: "quote_stale" });
    }
    const [{ status }] = await db.owner<{ status: string }>(
      "select status from public.approval_requests where task_id = $1",
      [taskId],
    );
    expect(status).toBe("approved");
    market.trouble = null;
    await executeTrade(deps, work);
    expect(await stateOf(taskId)).toEqual({
      task: "publishing",
      effect: "confirmed",
      step: "done",
    });
  });

  it("waits where the source's clock is ahead: the approved exit of a position does not end by that", async () => {
    const { id, work } = await leased("paper");
    await executeTrade(deps, work);
    await clock.advance(1);
    const exit = await trading.approved(db, trading.reduction(id));
    await clock.advance(1);
    const ahead: QuoteChannel = {
      read: async (symbol) => ({
        ...await source.read(symbol),
        observed_at: await trading.moment(db, 6),
      }),
    };
    const skewed = { ...deps, market: marketOf(db.database, ahead) };
    await expect(executeTrade(skewed, exit.work)).rejects.toMatchObject({ code: "quote_stale" });
    await executeTrade(deps, exit.work);
    expect((await stateOf(exit.taskId)).effect).toBe("confirmed");
  });

  it("is not tried where no bridge is configured", async () => {
    const { taskId, work } = await leased("http-bridge");
    await expect(executeTrade({ ...deps, bridge: null }, work)).rejects.toMatchObject({
      code: "no_channel",
    });
    expect((await stateOf(taskId)).effect).toBeNull();
  });

  it("is refused by the database with its own code", async () => {
    const { work } = await leased("paper");
    await clock.advance(1);
    market.price = "101";
    await expect(executeTrade(deps, work)).rejects.toMatchObject({ code: "price_moved" });
  });

  it("stays reserved where the leave to call is missing: nothing is out", async () => {
    const { taskId, work } = await leased("http-bridge");
    const tool: TradeDeps["tool"] = (name, run) =>
      name === "broker.order" ? Promise.reject(new Refusal("rate_limited")) : run();
    await expect(executeTrade({ ...deps, tool }, work)).rejects.toMatchObject({
      code: "rate_limited",
    });
    expect((await stateOf(taskId)).effect).toBe("reserved");
    expect(broker.placed).toEqual([]);
  });

  it.each<[Placed["outcome"], Placed["receipt"], object]>([
    ["not_sent", { error: "refused" }, { effect: "reserved", step: "ready", task: "publishing" }],
    ["failed", { status: "rejected", error: "no margin" }, {
      effect: "failed",
      step: "failed",
      task: "failed",
    }],
    ["unknown", { error: "no answer" }, { effect: "unknown", step: "stale", task: "paused" }],
  ])("that the broker answers with %s is recorded as that", async (name, receipt, state) => {
    const { taskId, work } = await leased("http-bridge");
    broker.outcome = { outcome: name, receipt } as Placed;
    await executeTrade(deps, work);
    expect(await stateOf(taskId)).toEqual(state);
    expect(broker.placed).toHaveLength(1);
  });

  it("leaves under the effect's own key, and its fills are booked", async () => {
    const { id, taskId, work } = await leased("http-bridge");
    const fill = {
      id: "f1",
      quantity: "1",
      price: "100.01",
      fee: "0.1",
      executed_at: await trading.moment(db),
    };
    broker.outcome = { outcome: "confirmed", receipt: { status: "filled", fills: [fill] } };
    await executeTrade(deps, work);
    expect(await stateOf(taskId)).toMatchObject({ effect: "confirmed", step: "done" });
    const [{ key }] = await db.owner<{ key: string }>(
      "select idempotency_key as key from public.effects where task_id = $1",
      [taskId],
    );
    expect(broker.placed).toEqual([key]);
    expect(await trading.account(db, id)).toMatchObject({ open_positions: "1" });
  });

  it("that was certainly not done goes out again under the same key", async () => {
    const { taskId, work } = await leased("http-bridge");
    broker.outcome = { outcome: "not_sent", receipt: { retry_after: 1, error: "busy" } };
    await executeTrade(deps, work);
    await clock.advance(2);
    const [again] = (await line.claim(db, ["exec"])).filter(({ task_id }) => task_id === taskId);
    broker.outcome = { outcome: "unknown", receipt: { error: "no answer" } };
    await executeTrade(deps, again);
    expect(new Set(broker.placed).size).toBe(1);
    expect(broker.placed).toHaveLength(2);
  });
});

describe("the watch over what is held", () => {
  it("reads each held symbol now and then, and a price that cannot be had keeps nobody", async () => {
    const { work } = await leased("paper");
    await executeTrade(deps, work);
    expect(await watchPositions(db.database, deps.market)).toBe(0);
    await clock.advance(16);
    market.trouble = new Refusal("unavailable");
    expect(await watchPositions(db.database, deps.market)).toBe(0);
    market.trouble = null;
    market.price = "97.9";
    expect(await watchPositions(db.database, deps.market)).toBe(1);
    const [{ n }] = await db.owner<{ n: string }>(
      "select count(*)::text as n from public.positions where task_id = $1 and open_quantity > 0",
      [work.task_id],
    );
    expect(n).toBe("0");
  });

  it("takes turns: eight symbols that nobody lists do not keep the ninth", async () => {
    const { id, taskId, work } = await leased("paper");
    await executeTrade(deps, work);
    // Nine more positions, without the nine approvals: this is about who is looked at.
    await db.owner(
      `do $do$ declare v_symbol text; v_order uuid; begin
         set local session_replication_role = replica;
         foreach v_symbol in array array['GONE0', 'GONE1', 'GONE2', 'GONE3', 'GONE4', 'GONE5', 'GONE6', 'GONE7', 'ZEDUSDT'] loop
           insert into public.orders (account_id, task_id, effect_id, channel, symbol, side, quantity, type, stop_loss, take_profit, reduce_only)
           values ('${id}', '${taskId}', gen_random_uuid(), 'paper', v_symbol, 'buy', 1, 'market', 98, 104, false) returning order_id into v_order;
           insert into public.fills (account_id, order_id, position_id, kind, symbol, side, quantity, price, reference_price, fee, slippage, origin)
           values ('${id}', v_order, v_order, 'entry', v_symbol, 'buy', 1, 100, 100, 0, 0, 'paper');
         end loop;
       end $do$`,
    );
    const asked: string[] = [];
    const picky = (symbol: string) => {
      asked.push(symbol);
      return symbol.startsWith("GONE")
        ? Promise.reject(new Refusal("insufficient_data"))
        : deps.market(symbol);
    };
    await clock.advance(20);
    await watchPositions(db.database, picky);
    await clock.advance(5);
    await watchPositions(db.database, picky);
    expect(asked).toContain("ZEDUSDT");
    expect(asked.slice(0, 8)).toHaveLength(new Set(asked.slice(0, 8)).size);
  });

  it("has nothing to offer without a source, and says what the database refused", async () => {
    await expect(marketOf(db.database, null)("BTCUSDT")).rejects.toMatchObject({
      code: "unavailable",
    });
    const old = {
      read: async (symbol: string) => ({
        ...await source.read(symbol),
        observed_at: await trading.moment(db, -31),
      }),
    };
    await expect(marketOf(db.database, old)("BTCUSDT")).rejects.toMatchObject({
      code: "quote_stale",
    });
    await expect(deps.account("nobody")).rejects.toMatchObject({ code: "unknown_account" });
  });
});
