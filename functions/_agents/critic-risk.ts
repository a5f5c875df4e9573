import { compare, decimal, multiply, subtract } from "../_domain/decimal.ts";
import { criteria } from "../_domain/evaluation.ts";
import { findInjection } from "../_domain/injection.ts";
import type { JudgedIdea } from "./critic-idea.ts";
import { externalTexts, type Rule } from "./critic-subject.ts";
import { tradeDangers } from "./critic-trade.ts";

type Side = "long" | "short";

/** How far a price lies in the trade's favour, from the entry; negative where it lies against it. */
const inFavour = (side: Side, entry: string, price: string): string =>
  side === "long" ? subtract(price, entry) : subtract(entry, price);

const isPositive = (value: string): boolean => compare(value, "0") > 0;

/** An entry risks no more than the policy lets it: a stop on the losing side, targets on the other, and worth it. */
export function tradeRisks(
  idea: Pick<JudgedIdea, "side" | "entry" | "stop_loss" | "take_profits">,
  minRewardRisk: string,
): string[] {
  const { side, entry: { value: entry }, stop_loss: { value: stop } } = idea;
  const targets = idea.take_profits.map(({ value }) => value).filter((price) => price !== null);
  if (side === null) return ["no side: neither stop nor target can be placed"];
  if (entry === null || !isPositive(entry)) return ["no usable entry price"];
  const risks: string[] = [];
  if (stop === null) risks.push("no stop loss");
  if (targets.length === 0) risks.push("no take profit");
  if ([stop, ...targets].some((price) => price !== null && !isPositive(price))) {
    risks.push("a price is not positive");
  }
  const atRisk = stop === null ? null : inFavour(side, stop, entry);
  if (atRisk !== null && !isPositive(atRisk)) {
    risks.push(`the stop loss of a ${side} lies on the winning side`);
  }
  const rewards = targets.map((price) => inFavour(side, entry, price));
  if (!rewards.every(isPositive)) risks.push(`a take profit of a ${side} lies on the losing side`);
  if (risks.length === 0 && atRisk !== null) {
    const best = rewards.reduce((a, b) => compare(a, b) < 0 ? b : a);
    if (compare(best, multiply(minRewardRisk, atRisk)) < 0) {
      risks.push(`reward/risk is below ${minRewardRisk}`);
    }
  }
  return risks;
}

/** 1 is clean. Any risk is a red flag, which no other mark can outweigh. */
export const judgeRisk: Rule = (work, subject) => {
  const lost: string[] = [];
  const injection = findInjection(...externalTexts(work, subject));
  if (injection.flagged) lost.push(`text gives orders: ${injection.reasons.join(", ")}`);
  // An update closes or moves what is already held: it opens no risk of its own.
  if (work.type === "idea" && work.idea.kind === "entry") {
    lost.push(...tradeRisks(work.idea, subject.policy.guardrails.signal.min_reward_risk));
  }
  if (work.type === "proposal") lost.push(...proposedTradeRisks(work.proposal.figures));
  if (work.type === "proposal" && work.proposal.action === "TRADE") {
    lost.push(...tradeDangers(work.proposal, subject));
  }
  if (work.type === "unreadable") lost.push("what cannot be read cannot be cleared");
  return { mark: lost.length === 0 ? criteria.risk : 0, lost };
};

// A proposal carries what the request gave; where it names a stop, the stop must be one.
function proposedTradeRisks(figures: Record<string, string>): string[] {
  const pick = (...names: string[]) =>
    names.map((name) => decimal(figures[name] ?? "")).find((value) => value !== null) ?? null;
  const direction = (figures.side ?? figures.direction ?? "").toLowerCase();
  const side: Side | null = /^(?:buy|long)$/.test(direction)
    ? "long"
    : /^(?:sell|short)$/.test(direction)
    ? "short"
    : null;
  const entry = pick("entry", "price", "entry_price");
  const stop = pick("stop_loss", "sl");
  if (side === null || entry === null || stop === null) return [];
  return isPositive(inFavour(side, stop, entry))
    ? []
    : [`the stop loss of a ${side} lies on the winning side`];
}
