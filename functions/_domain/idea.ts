import { z } from "zod";
import type { Alert } from "./alert.ts";
import { add, compare, divide, multiply, percentOf, positive, subtract } from "./decimal.ts";
import { ideaSummary } from "./idea-summary.ts";
import { type EvidenceRef, evidenceRef } from "./result.ts";
import { Refusal } from "./refusal.ts";

const figure = z.strictObject({
  value: z.string().nullable(),
  origin: z.enum(["alert", "derived", "unknown"]),
  rule: z.string().nullable(),
});
/** A number with where it comes from. `rule` says how a derived one was worked out; an unknown one has no value. */
export type Figure = z.infer<typeof figure>;

export const ideaSchema = z.strictObject({
  kind: z.enum(["entry", "update"]),
  symbol: z.string().min(1).max(64),
  exchange: z.string().nullable(),
  side: z.enum(["long", "short"]).nullable(),
  entry: figure,
  stop_loss: figure,
  take_profits: z.array(figure).max(10),
  size: figure,
  /** To the farthest target, which is what the policy asks a ratio of; rounded down, so 1.4999 is not 1.5. */
  reward_risk: z.string().nullable(),
  timeframe: z.string().nullable(),
  strategy: z.string().nullable(),
  note: z.string().nullable(),
  summary: z.string(),
  evidence: z.array(evidenceRef),
  similar: z.array(
    z.strictObject({
      chunk_id: z.string(),
      task_id: z.string(),
      distance: z.number(),
      excerpt: z.string(),
    }),
  ),
});
/** The trader's proposal. Its JSON has these keys in this order, so the same alert gives the same bytes. */
export type Idea = z.infer<typeof ideaSchema>;
export type SimilarIdea = Idea["similar"][number];

/** What may be worked out where the alert is silent: `guardrails.signal` of the policy, decimals as text. */
export interface SignalRules {
  derive: { stop_loss_pct: string; reward_risk: string };
}

/**
 * Pure. A figure is the alert's, or derived and marked so, or unknown; none is repaired: a stop on the wrong side goes
 * on as it came, for the critic to see. Throws `insufficient_data` for an entry without a price or a side.
 */
export function proposeIdea(
  alert: Alert,
  rules: SignalRules,
  context: { evidence: EvidenceRef[]; similar: SimilarIdea[] } = { evidence: [], similar: [] },
): Idea {
  const entry = alert.kind === "entry" ? figuresOf(alert, rules) : asGiven(alert);
  const idea: Idea = {
    kind: alert.kind === "entry" ? "entry" : "update",
    symbol: alert.symbol,
    exchange: alert.exchange,
    side: alert.side,
    entry: entry.entry,
    stop_loss: entry.stop_loss,
    take_profits: entry.take_profits,
    size: given(alert.size),
    reward_risk: entry.reward_risk,
    timeframe: alert.timeframe,
    strategy: alert.strategy,
    note: alert.note,
    summary: "",
    evidence: context.evidence.map(({ artifact_id, node_id, checksum }) => ({
      artifact_id,
      node_id,
      checksum,
    })),
    similar: context.similar.map(({ chunk_id, task_id, distance, excerpt }) => ({
      chunk_id,
      task_id,
      distance,
      excerpt,
    })),
  };
  return { ...idea, summary: ideaSummary(alert, idea) };
}

type Figures = Pick<Idea, "entry" | "stop_loss" | "take_profits" | "reward_risk">;

const unknown: Figure = { value: null, origin: "unknown", rule: null };
const given = (value: string | null): Figure =>
  value === null ? unknown : { value, origin: "alert", rule: null };

/** An update opens nothing: it passes on what the alert said, and nothing is derived. Its price is where it happened. */
const asGiven = (alert: Alert): Figures => ({
  entry: given(alert.price),
  stop_loss: given(alert.stop_loss),
  take_profits: alert.take_profits.map(given),
  reward_risk: null,
});

function figuresOf(alert: Alert, rules: SignalRules): Figures {
  const { side, price } = alert;
  if (price === null) {
    throw new Refusal(
      "insufficient_data",
      `The alert for ${alert.symbol} has no usable price, so nothing is proposed; add "price": "{{close}}" to its message.`,
    );
  }
  if (side === null) {
    throw new Refusal(
      "insufficient_data",
      `The alert for ${alert.symbol} does not say long or short.`,
    );
  }
  const stop_loss = stopOf(alert, side, price, rules);
  const take_profits = targetsOf(alert, side, price, stop_loss.value, rules);
  return {
    entry: given(price),
    stop_loss,
    take_profits,
    reward_risk: rewardToRisk(side, price, stop_loss.value, take_profits),
  };
}

function stopOf(alert: Alert, side: "long" | "short", price: string, rules: SignalRules): Figure {
  if (alert.stop_loss !== null) return given(alert.stop_loss);
  if (alert.stop_loss_pct !== null) {
    return derived(
      away(side, price, percentOf(price, alert.stop_loss_pct), -1),
      `stop_loss_pct ${alert.stop_loss_pct} of entry`,
    );
  }
  const percent = rules.derive.stop_loss_pct;
  return derived(
    away(side, price, percentOf(price, percent), -1),
    `policy stop_loss_pct ${percent} of entry`,
  );
}

function targetsOf(
  alert: Alert,
  side: "long" | "short",
  price: string,
  stop: string | null,
  rules: SignalRules,
): Figure[] {
  if (alert.take_profits.length > 0) return alert.take_profits.map(given);
  const percent = alert.take_profit_pct;
  if (percent !== null) {
    return known(
      derived(
        away(side, price, percentOf(price, percent), 1),
        `take_profit_pct ${percent} of entry`,
      ),
    );
  }
  // No distance can be taken from a stop that lies on the wrong side of the entry.
  const risk = stop === null ? null : distance(side, stop, price);
  if (risk === null || compare(risk, "0") <= 0) return [];
  const ratio = rules.derive.reward_risk;
  return known(
    derived(
      away(side, price, multiply(risk, ratio), 1),
      `policy reward_risk ${ratio} of risk ${risk}`,
    ),
  );
}

/** Above the entry for a long's target and a short's stop, below it otherwise; null where no price is left. */
const away = (side: "long" | "short", price: string, by: string, sign: 1 | -1): string | null =>
  positive((side === "long") === (sign === 1) ? add(price, by) : subtract(price, by));

const derived = (value: string | null, rule: string): Figure =>
  value === null ? unknown : { value, origin: "derived", rule };

const known = (value: Figure): Figure[] => value.value === null ? [] : [value];

/** How far it is from `from` to `to` in the direction that earns. */
const distance = (side: "long" | "short", from: string, to: string): string =>
  side === "long" ? subtract(to, from) : subtract(from, to);

function rewardToRisk(
  side: "long" | "short",
  price: string,
  stop: string | null,
  targets: Figure[],
): string | null {
  const rewards = targets.map(({ value }) => distance(side, price, value!)).sort(compare);
  if (stop === null || rewards.length === 0) return null;
  const risk = distance(side, stop, price);
  // A level on the wrong side has no ratio; a number there would only hide it.
  return compare(risk, "0") <= 0 || compare(rewards[0], "0") <= 0
    ? null
    : divide(rewards[rewards.length - 1], risk, 4);
}
