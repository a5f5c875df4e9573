import { add, compare, divide, multiply, percentOf, subtract } from "../_domain/decimal.ts";
import type { Json } from "../_domain/json.ts";
import type { Policy } from "../_domain/policy.ts";
import type { JudgedFigure, JudgedIdea } from "./critic-idea.ts";

/** What a derived figure may be worked out from. */
export interface Known {
  idea: JudgedIdea;
  alert: { [key: string]: Json };
  policy: Policy;
}

const absolute = (value: string): string => value.replace(/^-/, "");

const isDecimal = (value: Json | undefined): value is string =>
  typeof value === "string" && /^-?\d{1,30}(?:\.\d{1,24})?$/.test(value);

/** The same number, however it is written: 2345.6 and 2345.60. */
export const sameNumber = (a: string | null, b: string | null): boolean =>
  isDecimal(a) && isDecimal(b) && compare(a, b) === 0;

const places = (value: string): number => value.split(".")[1]?.length ?? 0;

/** Equal up to rounding in the last place that either side of the calculation shows. */
const nearly = (value: string, exact: string, scale: number): boolean =>
  compare(multiply(absolute(subtract(value, exact)), `1${"0".repeat(Math.min(scale, 18))}`), "1") <
    0;

/** A price beyond the entry by a distance: with the trade for a target, against it for a stop. */
const beyond = (idea: JudgedIdea, distance: string, favour: boolean): string => {
  const entry = idea.entry.value ?? "0";
  return (idea.side === "long") === favour ? add(entry, distance) : subtract(entry, distance);
};

// The trader names its rule and the number it used: "stop_loss_pct 0.5 of entry", "policy reward_risk 2 of risk 14.4".
const ruleShape =
  /^(policy )?(stop_loss_pct|take_profit_pct|reward_risk) (\d{1,18}(?:\.\d{1,18})?) of /;

/** The price that a rule gives, or null: it cannot be applied, or it uses a number that nobody stated. */
function ruled(figure: JudgedFigure, { idea, alert, policy }: Known): string | null {
  const [, byPolicy, rule, number] = ruleShape.exec(figure.rule ?? "") ?? [];
  const entry = idea.entry.value;
  if (!rule || !number || entry === null || idea.side === null) return null;
  const stated: { [key: string]: Json } = byPolicy ? policy.guardrails.signal.derive : alert;
  const source = stated[rule];
  if (!isDecimal(source) || !sameNumber(number, source)) return null;
  if (rule === "reward_risk") {
    const stop = idea.stop_loss.value;
    return stop === null
      ? null
      : beyond(idea, multiply(absolute(subtract(entry, stop)), number), true);
  }
  return beyond(idea, percentOf(entry, number), rule === "take_profit_pct");
}

/** Whether a derived figure is what its rule gives. */
export function derives(figure: JudgedFigure, known: Known): boolean {
  const exact = ruled(figure, known);
  const { value } = figure;
  if (exact === null || value === null) return false;
  return nearly(value, exact, Math.max(places(value), places(known.idea.entry.value ?? "0")));
}

/** Reward over risk to the farthest target, rounded either way in the last place it shows; or honestly absent. */
export function rewardRiskHolds(
  { side, entry, stop_loss, take_profits, reward_risk }: JudgedIdea,
): boolean {
  if (reward_risk === null) return true;
  const prices = take_profits.map(({ value }) => value).filter((value) => value !== null);
  if (side === null || entry.value === null || stop_loss.value === null || prices.length === 0) {
    return false;
  }
  const from = entry.value;
  const gain = (price: string) => side === "long" ? subtract(price, from) : subtract(from, price);
  const risk = multiply(gain(stop_loss.value), "-1");
  const reward = prices.map(gain).reduce((a, b) => compare(a, b) < 0 ? b : a);
  const ratio = compare(risk, "0") > 0 ? divide(reward, risk, 18) : null;
  return ratio !== null && nearly(reward_risk, ratio, places(reward_risk));
}
