import { describe, expect, it } from "vitest";
import { breakersOf } from "../../../functions/_database/breakers.ts";
import type { Placed } from "../../../functions/_domain/broker.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { dispatch } from "../../../functions/orchestrator/dispatch.ts";
import { executeTrade } from "../../../functions/orchestrator/trade-effect.ts";
import * as line from "../../support/line.ts";
import { broker, clock, db, deps, leased, market, stateOf } from "./trade-scene.ts";

describe("an order whose broker does not answer", () => {
  const counted = () => ({
    ...deps,
    breakers: breakersOf({ database: db.database, now: () => new Date() }),
  });
  const breaker = async () =>
    (await db.owner<{ state: string; consecutive_failures: number }>(
      "select state, consecutive_failures from public.circuit_breakers where tool = 'broker.order'",
    ))[0];
  const dispatched = (work: Parameters<typeof executeTrade>[1]) =>
    dispatch({
      ...counted(),
      policy: line.policy,
      agents: {},
      embed: () => Promise.resolve([]),
      judge: null,
      now: () => new Date(),
    }, work);

  it("is counted, and one whose broker says no is not", async () => {
    const silence: Placed = {
      outcome: "not_sent",
      receipt: { error: "not reached" },
      unreached: true,
    };
    for (let i = 0; i < 2; i++) {
      broker.outcome = silence;
      await executeTrade(counted(), (await leased("http-bridge")).work);
    }
    expect(await breaker()).toEqual({ state: "closed", consecutive_failures: 2 });
    broker.outcome = { outcome: "failed", receipt: { status: "rejected", error: "no margin" } };
    await executeTrade(counted(), (await leased("http-bridge")).work);
    expect(await breaker()).toEqual({ state: "closed", consecutive_failures: 0 });
  });

  it("waits as pending_exec with its approval unused, and goes out once when the broker is back", async () => {
    const { taskId, work } = await leased("http-bridge");
    await db.as("administrator", "select api.trip_breaker('broker.order', 'down', 'test')");
    await dispatched(work);
    expect(await stateOf(taskId)).toEqual({ task: "pending_exec", effect: null, step: "ready" });
    expect(broker.placed).toEqual([]);
    await clock.advance(120);
    await db.owner("select private.tend_breakers()");
    const [again] = (await line.claim(db, ["exec"])).filter(({ task_id }) => task_id === taskId);
    broker.outcome = { outcome: "unknown", receipt: { error: "no answer" } };
    await dispatched(again);
    expect(await stateOf(taskId)).toEqual({ task: "paused", effect: "unknown", step: "stale" });
    expect(broker.placed).toHaveLength(1);
    expect(await breaker()).toMatchObject({ state: "open" });
    await db.as("administrator", "select api.reset_breaker('broker.order', 'mended', 'test')");
  });

  it("waits too where the price of an approved order cannot be asked for", async () => {
    const { taskId, work } = await leased("paper");
    market.trouble = new Refusal("breaker_open", "It rests.", {
      tool: "quotes.read",
      retry_after: 60,
    });
    await dispatched(work);
    expect(await stateOf(taskId)).toEqual({ task: "pending_exec", effect: null, step: "ready" });
  });
});
