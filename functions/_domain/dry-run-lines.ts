import type { DryRun } from "./dry-run.ts";
import type { Order } from "./order.ts";

type Shown = Omit<DryRun, "subject_sha256" | "lines">;

/** What a person reads on the card. */
export function linesOf(order: Order, run: Shown): string[] {
  const { quote, fill, account } = run;
  const money = (value: string) => `${short(value)} ${account.currency}`;
  return [
    `${
      order.reduce_only ? "Reduce" : "Open"
    }: ${order.side} ${order.quantity} ${order.symbol} on ${order.account_id} (${account.channel})`,
    `Would fill at ${short(fill.price)}, fee ${
      money(fill.fee)
    }; ${quote.source} said ${quote.price} at ${quote.observed_at}`,
    ...(order.stop_loss === null ? [] : [
      `Stop ${order.stop_loss}: at worst ${money(run.worst_case_loss)} lost (${
        run.worst_case_pct ?? "unknown"
      } % of the day's equity)`,
      `Target ${order.take_profit}: ${money(run.at_target?.result ?? "0")}; reward/risk ${
        run.reward_risk ?? "unknown"
      }`,
    ]),
    ...run.limits.map(({ name, value, threshold, within }) =>
      `${within ? "within" : "BEYOND"} ${name}: ${short(value)} of ${threshold}`
    ),
    ...(run.problems.length === 0
      ? ["Dry run: pass"]
      : run.problems.map((why) => `Dry run: ${why}`)),
  ];
}

/** Eight decimals are enough to read; the artifact has them all. */
const short = (value: string): string => {
  const [whole, fraction = ""] = value.split(".");
  const kept = fraction.slice(0, 8).replace(/0+$/, "");
  return kept === "" ? whole : `${whole}.${kept}`;
};
