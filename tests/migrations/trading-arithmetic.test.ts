import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rehearse } from "../../functions/_domain/dry-run.ts";
import { decimal } from "../../functions/_domain/decimal.ts";
import type { Order } from "../../functions/_domain/order.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { account } from "../functions/_agents/trade-scene.ts";
import * as line from "../support/line.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await line.activate(db);
});
afterAll(() => db.close());

const figure = (most: number) =>
  fc.tuple(fc.integer({ min: 1, max: most }), fc.integer({ min: 0, max: 99_999_999 }))
    .map(([whole, part]) => decimal(`${whole}.${String(part).padStart(8, "0")}`)!);

const rehearsals = fc.record({
  side: fc.constantFrom("buy" as const, "sell" as const),
  quantity: figure(9_999),
  touch: figure(99_999),
  away: fc.integer({ min: 1, max: 999 }),
  limited: fc.boolean(),
});

describe("the dry run and the database", () => {
  it("come to the same fill, fee and worst case, to the last of 18 digits", async () => {
    const cases = fc.sample(rehearsals, 500).map(({ side, quantity, touch, away, limited }) => {
      const below = decimal(String(Number(touch) * (1 - away / 1000)).slice(0, 12))!;
      const above = decimal(String(Number(touch) * (1 + away / 1000)).slice(0, 12))!;
      const order: Order = {
        account_id: "paper-1",
        symbol: "BTCUSDT",
        side,
        quantity,
        type: limited ? "limit" : "market",
        price: limited ? touch : null,
        stop_loss: side === "buy" ? below : above,
        take_profit: side === "buy" ? above : below,
        reduce_only: false,
      };
      const quote = {
        symbol: "BTCUSDT",
        source: "binance",
        price: touch,
        bid: null,
        ask: null,
        observed_at: "2027-05-01T10:00:00.000Z",
      };
      return { order, touch, run: rehearse(order, quote, account, line.policy.trading) };
    });
    const rows = await db.owner<{ price: string; fee: string; worst: string }>(
      `select private.decimal_text(f.price) as price,
         private.decimal_text(private.fill_fee((c.o ->> 'quantity')::numeric, f.price, $2)) as fee,
         private.decimal_text(private.worst_case(c.o, (c.t)::numeric)) as worst
       from jsonb_array_elements($1::jsonb) with ordinality e(row, n),
         lateral (select e.row -> 'order' as o, e.row ->> 'touch' as t) c,
         lateral (select private.fill_price(c.o ->> 'side', c.t::numeric, (c.o ->> 'price')::numeric, $3) as price) f
       order by e.n`,
      [
        JSON.stringify(cases.map(({ order, touch }) => ({ order, touch }))),
        line.policy.trading.fee_pct,
        line.policy.trading.slippage_pct,
      ],
    );
    expect(rows).toEqual(
      cases.map(({ run }) => ({
        price: run.fill.price,
        fee: run.fill.fee,
        worst: run.worst_case_loss,
      })),
    );
  });
});
