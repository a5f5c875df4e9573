import { afterAll, beforeAll, beforeEach } from "vitest";
import type { QuoteChannel } from "../../../functions/_channels/quotes.ts";
import type { Placed } from "../../../functions/_domain/broker.ts";
import type { Refusal } from "../../../functions/_domain/refusal.ts";
import { accountOf, marketOf } from "../../../functions/orchestrator/market.ts";
import type { TradeDeps } from "../../../functions/orchestrator/trade-effect.ts";
import type { FrozenClock } from "../../support/clock.ts";
import type { TestDatabase } from "../../support/database.ts";
import * as line from "../../support/line.ts";
import { freely } from "../../support/outside.ts";
import * as trading from "../../support/trading.ts";

/** What the source of prices says, and what the broker does; fresh for each test. */
export const market: { price: string; trouble: Refusal | null } = { price: "100", trouble: null };
export const broker: { outcome: Placed; placed: string[] } = {
  outcome: { outcome: "unknown", receipt: { error: "nothing was set" } },
  placed: [],
};
export let db: TestDatabase;
export let clock: FrozenClock;
export let deps: TradeDeps;
let accounts = 0;

export const source: QuoteChannel = {
  read: async (symbol) => {
    if (market.trouble) throw market.trouble;
    const observed_at = await trading.moment(db);
    return { symbol, source: "binance", price: market.price, bid: null, ask: null, observed_at };
  },
};

beforeAll(async () => {
  ({ db, clock } = await trading.openDesk());
});
afterAll(() => db.close());
beforeEach(async () => {
  await clock.advance(60);
  Object.assign(market, { price: "100", trouble: null });
  broker.placed = [];
  deps = {
    database: db.database,
    policy_sha256: line.policySha256,
    market: marketOf(db.database, source),
    account: accountOf(db.database),
    bridge: {
      place: ({ key }) => {
        broker.placed.push(key);
        return Promise.resolve(broker.outcome);
      },
    },
    breakers: freely,
    tool: (_, run) => run(),
  };
});

/** The leased effect of an approved order on an account of its own. */
export async function leased(channel: string) {
  const id = `account-${++accounts}`;
  await trading.openAccount(db, id, { channel });
  await clock.advance(1);
  return { id, ...await trading.approved(db, trading.wanted(id)) };
}

export async function stateOf(taskId: string) {
  const [state] = await db.owner<{ task: string; effect: string | null; step: string }>(
    `select t.status as task, s.status as step, (select e.status from public.effects e where e.task_id = t.task_id) as effect
     from public.tasks t join public.task_steps s on s.task_id = t.task_id and s.is_effect where t.task_id = $1`,
    [taskId],
  );
  return state;
}
