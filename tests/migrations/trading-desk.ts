import { afterAll, beforeAll, beforeEach } from "vitest";
import type { FrozenClock } from "../support/clock.ts";
import type { TestDatabase } from "../support/database.ts";
import * as trading from "../support/trading.ts";

/** A database with two deciders, trades switched on, a clock that stands still, and a fresh paper account per test. */
export let db: TestDatabase;
export let clock: FrozenClock;
export let id: string;
let accounts = 0;

beforeAll(async () => {
  ({ db, clock } = await trading.openDesk());
});
beforeEach(async () => {
  id = `paper-${++accounts}`;
  await clock.advance(60);
  await trading.openAccount(db, id);
});
afterAll(() => db.close());

/** Reserves an approved order and says what became of it: `confirmed`, or the code of the refusal. */
export async function outcomeOf(
  payload: Parameters<typeof trading.approved>[1],
  price = "100",
  before: () => Promise<unknown> = () => Promise.resolve(),
): Promise<string> {
  // Another moment, so that the price of the last order is not the newest any more.
  await clock.advance(1);
  const { work } = await trading.approved(db, payload, price);
  await before();
  const { refused, status } = await trading.reserve(db, work);
  return refused ?? String(status);
}

export const alerts = (subject: string) =>
  db.owner<{ code: string; severity: string; value: string; threshold: string }>(
    "select code, severity, value, threshold from public.alerts where subject = $1 order by opened_at",
    [subject],
  );

export const resultsOf = (account: string) =>
  db.owner<Record<string, string | boolean | null>>(
    `select trim_scale(pnl)::text as pnl, trim_scale(r_multiple)::text as r, trim_scale(slippage)::text as slippage, sl_ok, tp_ok
     from public.trade_results where account_id = $1 order by ts, result_id`,
    [account],
  );

export const fillsOf = (account: string) =>
  db.owner<Record<string, string>>(
    `select kind, side, trim_scale(quantity)::text as quantity, trim_scale(price)::text as price, trim_scale(fee)::text as fee
     from public.fills where account_id = $1 order by seq`,
    [account],
  );
