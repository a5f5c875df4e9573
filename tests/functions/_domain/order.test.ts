import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compare,
  decimal,
  multiply,
  positive,
  subtract,
} from "../../../functions/_domain/decimal.ts";
import {
  bracketProblem,
  fillFee,
  fillPrice,
  orderSchema,
  readOrder,
  rewardToRisk,
  slippageOf,
} from "../../../functions/_domain/order.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";

const asked = {
  account_id: "paper-1",
  symbol: "BINANCE:BTCUSDT",
  side: "buy",
  quantity: "0.10",
  type: "limit",
  price: 67000,
  stop_loss: "66000",
  take_profit: "69000",
};
const codeOf = (fields: Record<string, unknown>): string => {
  try {
    readOrder(fields as Parameters<typeof readOrder>[0]);
    return "an order";
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
};

describe("an order", () => {
  it.each([
    ["account_id", [undefined, "", "A B", {}]],
    ["symbol", [undefined, "", "ВТС", "A".repeat(40)]],
    ["side", [undefined, "both", "up", 1]],
    ["quantity", [undefined, "0", "-1", "a little", "1e40", "99999999999", null]],
    ["type", [undefined, "stop", ""]],
    ["price", [undefined, "0", "x"]],
    ["stop_loss", ["0", "x", -5]],
    ["take_profit", ["0", "NaN"]],
  ])("is not made up where the request has no usable %s", (name, values) => {
    for (const value of values) {
      expect([value, codeOf({ ...asked, [name]: value })]).toEqual([value, "insufficient_data"]);
    }
  });

  it("has entry, stop and target, or is refused", () => {
    for (
      const change of [
        { stop_loss: undefined },
        { take_profit: null },
        { stop_loss: "67000" },
        { stop_loss: "68000" },
        { take_profit: "66500" },
        { side: "sell" },
        { reduce_only: true },
        { reduce_only: true, stop_loss: null },
      ]
    ) {
      expect([change, codeOf({ ...asked, ...change })]).toEqual([change, "incomplete_bracket"]);
    }
  });

  it("is what was asked for, every figure as text and nothing derived", () => {
    expect(readOrder(asked)).toEqual({
      account_id: "paper-1",
      symbol: "BTCUSDT",
      side: "buy",
      quantity: "0.1",
      type: "limit",
      price: "67000",
      stop_loss: "66000",
      take_profit: "69000",
      reduce_only: false,
    });
    expect(
      readOrder({
        ...asked,
        side: "Short",
        type: "MARKET",
        stop_loss: "69000",
        take_profit: "66000",
      }),
    )
      .toMatchObject({ side: "sell", type: "market", price: null });
    const reduce = { ...asked, stop_loss: undefined, take_profit: undefined, reduce_only: "true" };
    expect(readOrder(reduce)).toMatchObject({
      stop_loss: null,
      take_profit: null,
      reduce_only: true,
    });
    expect(orderSchema.parse(readOrder(asked))).toEqual(readOrder(asked));
  });
});

const figure = fc.tuple(
  fc.integer({ min: 0, max: 999_999 }),
  fc.integer({ min: 0, max: 99_999_999 }),
)
  .map(([whole, part]) => decimal(`${whole}.${String(part).padStart(8, "0")}`)!)
  .filter((text) => positive(text) !== null);
const percent = fc.integer({ min: 0, max: 500 }).map((n) => decimal(`${n}e-2`)!);
const side = fc.constantFrom("buy" as const, "sell" as const);

describe("the arithmetic of a fill", () => {
  it("never gives a price better than the touch, and never one beyond the limit", () => {
    fc.assert(fc.property(side, figure, percent, figure, (side, touch, slip, limit) => {
      const free = fillPrice(side, touch, null, slip);
      expect(compare(free, touch)).not.toBe(side === "buy" ? -1 : 1);
      const bound = fillPrice(side, touch, limit, slip);
      expect(compare(bound, limit)).not.toBe(side === "buy" ? 1 : -1);
      // A limit that is not in the way changes nothing.
      if (compare(free, limit) === (side === "buy" ? -1 : 1)) expect(bound).toBe(free);
    }));
  });

  it("costs exactly slippage and fees to go in and out at one price", () => {
    fc.assert(fc.property(figure, figure, percent, percent, (quantity, touch, slip, feePct) => {
      const [bought, sold] = (["buy", "sell"] as const).map((side) =>
        fillPrice(side, touch, null, slip)
      );
      const lost = subtract(multiply(quantity, bought), multiply(quantity, sold));
      const slipped = [
        slippageOf("buy", quantity, bought, touch),
        slippageOf("sell", quantity, sold, touch),
      ];
      for (const cost of slipped) expect(compare(cost, "0")).not.toBe(-1);
      // Each product is rounded once at the 18th place.
      const sum = Number(slipped[0]) + Number(slipped[1]);
      expect(Math.abs(Number(lost) - sum)).toBeLessThanOrEqual(1e-9 * Math.max(1, Number(lost)));
      expect(compare(fillFee(quantity, bought, feePct), "0")).not.toBe(-1);
    }));
  });

  it("mirrors a buyer's bracket to a seller's", () => {
    fc.assert(fc.property(figure, figure, figure, (stop_loss, price, take_profit) => {
      const order = { price, stop_loss, take_profit, reduce_only: false };
      const mirrored = {
        price,
        stop_loss: take_profit,
        take_profit: stop_loss,
        reduce_only: false,
      };
      expect(bracketProblem({ ...order, side: "buy" }) === null)
        .toBe(bracketProblem({ ...mirrored, side: "sell" }) === null);
    }));
  });

  it("has a ratio only where the entry lies between stop and target", () => {
    const order = readOrder(asked);
    expect(rewardToRisk(order, "67000")).toEqual({ reward: "2000", risk: "1000" });
    expect(rewardToRisk(order, "66000")).toBeNull();
    expect(rewardToRisk(order, "69000")).toBeNull();
  });
});
