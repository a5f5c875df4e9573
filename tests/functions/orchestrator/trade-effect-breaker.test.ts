import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { breakersOf } from "../../../functions/_database/breakers.ts";
import type { Placed } from "../../../functions/_domain/broker.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { dispatch } from "../../../functions/orchestrator/dispatch.ts";
import { accountOf, marketOf } from "../../../functions/orchestrator/market.ts";
import { executeTrade, type TradeDeps } from "../../../functions/orchestrator/trade-effect.ts";
import { freezeClock, type FrozenClock } from "../../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import * as line from "../../support/line.ts";
import { freely } from "../../support/outside.ts";
import * as trading from "../../support/trading.ts";

let db: TestDatabase;
let clock: FrozenClock;
let deps: TradeDeps;
let trouble: Refusal | null = null;
let placed: string[] = [];
let outcome: Placed;
let accounts = 0;

beforeAll(async () => {
  db = await openTestDatabase();
  await line.activate(db);
  await line.addMember(db, "operator", "olga", "1001");
  await line.addMember(db, "owner", "oskar", "1002");
  await trading.switchOn(db);
  clock = await freezeClock(db, "2027-05-01T10:00:00.000Z");
});
afterAll(() => db.close());
beforeEach(async () => {
  await clock.advance(60);
  [trouble, placed] = [null, []];
  deps = {
    database: db.database,
    policy_sha256: line.policySha256,
    market: marketOf(db.database, {
      read: async (symbol) => {
        if (trouble) throw trouble;
        const observed_at = await trading.moment(db);
        return { symbol, source: "binance", price: "100", bid: null, ask: null, observed_at };
      },
    }),
    account: accountOf(db.database),
    bridge: { place: ({ key }) => Promise.resolve((placed.push(key), outcome)) },
    breakers: freely,
    tool: (_, run) => run(),
  };
});

const leased = async (channel: string) => {
  const id = `account-${++accounts}`;
  await trading.openAccount(db, id, { channel });
  await clock.advance(1);
  return { id, ...await trading.approved(db, trading.wanted(id)) };
};
const stateOf = async (taskId: string) =>
  (await db.owner<{ task: string; effect: string | null; step: string }>(
    `select t.status as task, s.status as step, (select e.status from public.effects e where e.task_id = t.task_id) as effect
     from public.tasks t join public.task_steps s on s.task_id = t.task_id and s.is_effect where t.task_id = $1`,
    [taskId],
  ))[0];

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
      outcome = silence;
      await executeTrade(counted(), (await leased("http-bridge")).work);
    }
    expect(await breaker()).toEqual({ state: "closed", consecutive_failures: 2 });
    outcome = { outcome: "failed", receipt: { status: "rejected", error: "no margin" } };
    await executeTrade(counted(), (await leased("http-bridge")).work);
    expect(await breaker()).toEqual({ state: "closed", consecutive_failures: 0 });
  });

  it("waits as pending_exec with its approval unused, and goes out once when the broker is back", async () => {
    const { taskId, work } = await leased("http-bridge");
    await db.as("administrator", "select api.trip_breaker('broker.order', 'down', 'test')");
    await dispatched(work);
    expect(await stateOf(taskId)).toEqual({ task: "pending_exec", effect: null, step: "ready" });
    expect(placed).toEqual([]);
    await clock.advance(120);
    await db.owner("select private.tend_breakers()");
    const [again] = (await line.claim(db, ["exec"])).filter(({ task_id }) => task_id === taskId);
    outcome = { outcome: "unknown", receipt: { error: "no answer" } };
    await dispatched(again);
    expect(await stateOf(taskId)).toEqual({ task: "paused", effect: "unknown", step: "stale" });
    expect(placed).toHaveLength(1);
    expect(await breaker()).toMatchObject({ state: "open" });
    await db.as("administrator", "select api.reset_breaker('broker.order', 'mended', 'test')");
  });

  it("waits too where the price of an approved order cannot be asked for", async () => {
    const { taskId, work } = await leased("paper");
    trouble = new Refusal("breaker_open", "It rests.", { tool: "quotes.read", retry_after: 60 });
    await dispatched(work);
    expect(await stateOf(taskId)).toEqual({ task: "pending_exec", effect: null, step: "ready" });
  });
});
