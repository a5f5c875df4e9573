import { z } from "zod";
import { readSymbol } from "./alert-word.ts";
import { add, compare, decimal, multiply, percentOf, positive, subtract } from "./decimal.ts";
import type { Json } from "./json.ts";
import { price, type Side } from "./quote.ts";
import { Refusal } from "./refusal.ts";

// Ten digits before the point: products of two figures still fit the database's numeric(38, 18).
const figure = price.refine((text) => text.split(".")[0].length <= 10, "too large a figure");

/** Entry, stop and target in one; a reduction has neither stop nor target. Its JSON is the effect's payload, byte for byte. */
export const orderSchema = z.strictObject({
  account_id: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
  symbol: z.string().regex(/^[A-Z0-9][A-Z0-9._:-]{1,31}$/),
  side: z.enum(["buy", "sell"]),
  quantity: figure,
  type: z.enum(["market", "limit"]),
  price: figure.nullable(),
  stop_loss: figure.nullable(),
  take_profit: figure.nullable(),
  reduce_only: z.boolean(),
});
export type Order = z.infer<typeof orderSchema>;

const missing = (what: string): never => {
  throw new Refusal("insufficient_data", `The request names no ${what}, so no order is proposed.`);
};

const textOf = (value: Json | undefined): string | null =>
  typeof value === "string" || typeof value === "number" ? String(value).trim() || null : null;

function figureOf(fields: Fields, name: string): string | null {
  const text = textOf(fields[name]);
  if (text === null) return null;
  const read = decimal(text);
  return read !== null && figure.safeParse(read).success ? read : missing(`usable ${name}`);
}

interface Fields {
  [name: string]: Json | undefined;
}

const sides: Record<string, Side> = { buy: "buy", long: "buy", sell: "sell", short: "sell" };

/**
 * The order that a request asks for, figure by figure; nothing is derived and nothing repaired. Throws
 * `insufficient_data` for a missing figure and `incomplete_bracket` where stop or target is missing or out of place.
 */
export function readOrder(fields: Fields): Order {
  const account_id = textOf(fields.account_id) ?? missing("account_id");
  const symbol = readSymbol(textOf(fields.symbol) ?? "")?.symbol ?? missing("symbol");
  const side = sides[(textOf(fields.side) ?? "").toLowerCase()] ?? missing("side (buy or sell)");
  const quantity = figureOf(fields, "quantity") ?? missing("quantity");
  const type = (textOf(fields.type) ?? missing("type (market or limit)")).toLowerCase();
  const limit = figureOf(fields, "price");
  if (type === "limit" && limit === null) missing("price for its limit");
  const order = {
    account_id,
    symbol,
    side,
    quantity,
    type,
    // A market order takes what there is: a price in the request is talk, the dry run says what it would get.
    price: type === "limit" ? limit : null,
    stop_loss: figureOf(fields, "stop_loss"),
    take_profit: figureOf(fields, "take_profit"),
    reduce_only: String(fields.reduce_only ?? false).toLowerCase() === "true",
  };
  const problem = bracketProblem(order);
  if (problem !== null) throw new Refusal("incomplete_bracket", problem);
  const read = orderSchema.safeParse(order);
  return read.success ? read.data : missing(`usable ${read.error.issues[0].path.join(".")}`);
}

/** Why stop and target do not make a bracket around the entry, or null. */
export function bracketProblem(
  { side, price, stop_loss, take_profit, reduce_only }: Pick<
    Order,
    "side" | "price" | "stop_loss" | "take_profit" | "reduce_only"
  >,
): string | null {
  if (reduce_only) {
    return stop_loss === null && take_profit === null
      ? null
      : "An order that only reduces has no stop and no target of its own.";
  }
  if (stop_loss === null || take_profit === null) {
    return "Entry, stop loss and take profit are one order or none.";
  }
  const [low, high] = side === "buy" ? [stop_loss, take_profit] : [take_profit, stop_loss];
  const inside = compare(low, high) < 0 &&
    (price === null || (compare(low, price) < 0 && compare(price, high) < 0));
  return inside ? null : `The stop or the target of a ${side} lies on the wrong side.`;
}

export const otherSide = (side: Side): Side => side === "buy" ? "sell" : "buy";

/** The touch made worse by the slippage; a limit order never pays more than its limit. The database fills the same way. */
export function fillPrice(
  side: Side,
  touch: string,
  limit: string | null,
  slippagePct: string,
): string {
  const slip = percentOf(touch, slippagePct);
  const worse = side === "buy" ? add(touch, slip) : subtract(touch, slip);
  if (limit === null) return worse;
  return (side === "buy") === (compare(worse, limit) > 0) ? limit : worse;
}

export const fillFee = (quantity: string, price: string, feePct: string): string =>
  percentOf(multiply(quantity, price), feePct);

/** What a fill lost against the price that one saw, in money; negative where it was better. */
export const slippageOf = (side: Side, quantity: string, price: string, touch: string): string =>
  multiply(quantity, side === "buy" ? subtract(price, touch) : subtract(touch, price));

/** How far the reward lies for each unit of risk, from this entry; null where either is none. Rounded down. */
export function rewardToRisk(order: Order, entry: string): { reward: string; risk: string } | null {
  if (order.stop_loss === null || order.take_profit === null) return null;
  const sign = (from: string, to: string) =>
    order.side === "buy" ? subtract(to, from) : subtract(from, to);
  const reward = sign(entry, order.take_profit);
  const risk = sign(order.stop_loss, entry);
  return positive(reward) === null || positive(risk) === null ? null : { reward, risk };
}
