import { z } from "zod";
import { type AccountState, figure } from "./account-state.ts";
import { add, compare, divide, multiply, subtract } from "./decimal.ts";
import type { Order } from "./order.ts";

export const limitRow = z.object({
  name: z.string().min(1).max(64),
  value: figure,
  threshold: figure,
  within: z.boolean(),
});
export type LimitRow = z.infer<typeof limitRow>;

export const times100 = (value: string) => multiply(value, "100");

/** Each limit with what the order would make of it. Equality is within. */
export function limitRows(
  order: Order,
  account: AccountState,
  touch: string,
  worst: string,
): LimitRow[] {
  if (order.reduce_only) return [];
  const { limits, equity_at_open, peak_equity } = account;
  const positions = add(add(account.open_positions, account.in_flight), "1");
  const loss = [account.day_loss, account.open_risk, account.in_flight_loss].reduce(add, worst);
  const fallen = subtract(peak_equity, account.equity);
  const isWithin = (value: string, most: string) => compare(value, most) <= 0;
  const share = (part: string, whole: string) => divide(times100(part), whole, 6) ?? "100";
  const rows: (LimitRow | null)[] = [
    limits.max_order_size === undefined ? null : {
      name: "max_order_size",
      value: multiply(order.quantity, touch),
      threshold: limits.max_order_size,
      within: isWithin(multiply(order.quantity, touch), limits.max_order_size),
    },
    {
      name: "max_positions",
      value: positions,
      threshold: limits.max_positions,
      within: isWithin(positions, limits.max_positions),
    },
    {
      name: "max_daily_loss_pct",
      value: share(loss, equity_at_open),
      threshold: limits.max_daily_loss_pct,
      within: compare(equity_at_open, "0") > 0 &&
        isWithin(times100(loss), multiply(limits.max_daily_loss_pct, equity_at_open)),
    },
    limits.daily_loss_cap === undefined ? null : {
      name: "daily_loss_cap",
      value: loss,
      threshold: limits.daily_loss_cap,
      within: isWithin(loss, limits.daily_loss_cap),
    },
    {
      name: "max_drawdown_pct",
      value: share(fallen, peak_equity),
      threshold: limits.max_drawdown_pct,
      within: isWithin(times100(fallen), multiply(limits.max_drawdown_pct, peak_equity)),
    },
  ];
  return rows.filter((row) => row !== null);
}
