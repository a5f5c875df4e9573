import { z } from "zod";
import { type AccountState, accountState, figure } from "./account-state.ts";
import { add, compare, divide, multiply, subtract } from "./decimal.ts";
import { linesOf } from "./dry-run-lines.ts";
import { fillFee, fillPrice, type Order, otherSide, rewardToRisk, slippageOf } from "./order.ts";
import { limitRow, limitRows, times100 } from "./trade-limits.ts";
import { type Quote, quoteSchema, touchOf } from "./quote.ts";

/** What a rehearsal reckons with: `trading` of the policy, decimals as text. */
export interface TradingRules {
  quote_sources: string[];
  fee_pct: string;
  slippage_pct: string;
  min_reward_risk: string;
}

const booked = z.object({ price: figure, fee: figure, result: figure });

export const dryRunSchema = z.object({
  subject_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  price: figure,
  quote: quoteSchema,
  account: accountState,
  fill: z.object({
    side: z.enum(["buy", "sell"]),
    quantity: figure,
    price: figure,
    fee: figure,
    slippage: figure,
  }),
  at_stop: booked.nullable(),
  at_target: booked.nullable(),
  worst_case_loss: figure,
  worst_case_pct: figure.nullable(),
  reward_risk: figure.nullable(),
  limits: z.array(limitRow).max(8),
  verdict: z.enum(["pass", "fail"]),
  problems: z.array(z.string().max(200)).max(16),
  lines: z.array(z.string().max(300)).max(32),
});
export type DryRun = z.infer<typeof dryRunSchema>;

/** The result of leaving at this level, after fees at both ends. */
function leaving(
  order: Order,
  level: string,
  entry: string,
  entryFee: string,
  rules: TradingRules,
  slips: boolean,
) {
  const side = otherSide(order.side);
  const price = slips ? fillPrice(side, level, null, rules.slippage_pct) : level;
  const fee = fillFee(order.quantity, price, rules.fee_pct);
  const moved = order.side === "buy" ? subtract(price, entry) : subtract(entry, price);
  return { price, fee, result: subtract(subtract(multiply(order.quantity, moved), entryFee), fee) };
}

function problemsOf(
  order: Order,
  quote: Quote,
  account: AccountState,
  touch: string,
  rules: TradingRules,
): string[] {
  const problems: string[] = [];
  if (account.account_id !== order.account_id) problems.push("the account is another one");
  if (account.status !== "active") problems.push(`the account is ${account.status}`);
  if (quote.symbol !== order.symbol) problems.push("the price is of another symbol");
  if (!rules.quote_sources.includes(quote.source)) {
    problems.push(`the policy names no price source ${quote.source}`);
  }
  if (!order.symbol.endsWith(account.currency)) {
    problems.push(`${order.symbol} is not priced in ${account.currency}`);
  }
  if (
    order.price !== null && (order.side === "buy") === (compare(touch, order.price) > 0) &&
    compare(touch, order.price) !== 0
  ) {
    problems.push(`the limit ${order.price} is not reached at ${touch}`);
  }
  if (order.reduce_only) {
    const open = account.positions.filter(({ symbol, side }) =>
      symbol === order.symbol && side === (order.side === "sell" ? "long" : "short")
    ).reduce((sum, { open_quantity }) => add(sum, open_quantity), "0");
    if (compare(order.quantity, open) > 0) {
      problems.push(`only ${open} is open, ${order.quantity} would be closed`);
    }
  } else if (rewardToRisk(order, touch) === null) {
    problems.push(`the price ${touch} does not lie between stop and target`);
  }
  return problems;
}

/**
 * The order against the price of now, with fee and slippage, and against every limit: pure, so whoever doubts a stored
 * rehearsal does it again.
 */
export function rehearse(
  order: Order,
  quote: Quote,
  account: AccountState,
  rules: TradingRules,
): Omit<DryRun, "subject_sha256"> {
  const touch = touchOf(quote, order.side);
  const price = fillPrice(order.side, touch, order.price, rules.slippage_pct);
  const fee = fillFee(order.quantity, price, rules.fee_pct);
  const at_stop = order.stop_loss && leaving(order, order.stop_loss, price, fee, rules, true);
  const at_target = order.take_profit &&
    leaving(order, order.take_profit, price, fee, rules, false);
  const lost = at_stop ? subtract("0", at_stop.result) : "0";
  const worst = compare(lost, "0") > 0 ? lost : "0";
  const ratio = rewardToRisk(order, order.price ?? touch);
  const limits = limitRows(order, account, touch, worst);
  const problems = [
    ...problemsOf(order, quote, account, touch, rules),
    ...limits.filter(({ within }) => !within).map(({ name, value, threshold }) =>
      `${name}: ${value} of ${threshold}`
    ),
  ];
  const rehearsed = {
    price: touch,
    quote,
    account,
    fill: {
      side: order.side,
      quantity: order.quantity,
      price,
      fee,
      slippage: slippageOf(order.side, order.quantity, price, touch),
    },
    at_stop: at_stop || null,
    at_target: at_target || null,
    worst_case_loss: worst,
    worst_case_pct: divide(times100(worst), account.equity_at_open, 4),
    reward_risk: ratio && divide(ratio.reward, ratio.risk, 4),
    limits,
    verdict: problems.length === 0 ? "pass" as const : "fail" as const,
    problems,
  };
  return { ...rehearsed, lines: linesOf(order, rehearsed) };
}

/** Whether a stored rehearsal is what comes out when it is done again with its own price and account. */
export function sameRehearsal(stored: DryRun, order: Order, rules: TradingRules): boolean {
  const { subject_sha256: _, ...found } = stored;
  const again = rehearse(order, stored.quote, stored.account, rules);
  return JSON.stringify(sorted(again)) === JSON.stringify(sorted(found));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map((
      [key, item],
    ) => [key, sorted(item)]),
  );
}
