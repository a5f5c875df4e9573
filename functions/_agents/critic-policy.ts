import { isSymbol, readSymbol } from "../_domain/alert-word.ts";
import { compare, decimal, positive } from "../_domain/decimal.ts";
import { criteria } from "../_domain/evaluation.ts";
import { maskSecrets } from "../_domain/mask.ts";
import { type Policy, tierOf } from "../_domain/policy.ts";
import type { Proposal } from "../_domain/result.ts";
import { accessBreaches } from "./critic-access.ts";
import { tradeBreaches } from "./critic-trade.ts";
import { externalTexts, type ReadWork, type Rule, type Subject } from "./critic-subject.ts";

function amountCap(policy: Policy, figures: Proposal["figures"]): string[] {
  const names = ["amount_usdt", "amount_usd", "amount", "value", "usdt"];
  const given = names.map((name) => figures[name]).find((value) => value !== undefined);
  const amount = given === undefined ? null : positive(given);
  const cap = policy.limits.payments.max_single_tx_usdt;
  if (given === undefined) return ["no amount to hold against the cap"];
  if (amount === null) return ["the amount is not a positive decimal"];
  const currency = (figures.currency ?? figures.asset ?? "USDT").toUpperCase();
  // Other currencies cannot be held against a cap in USDT without a rate, and a rate would be invented here.
  if (!["USDT", "USDC", "USD"].includes(currency)) {
    return [`the cap is in USDT, the amount in ${currency}`];
  }
  return compare(amount, String(cap)) > 0 ? [`the amount is above the cap of ${cap} USDT`] : [];
}

const firstOf = (figures: Proposal["figures"], ...names: string[]): string =>
  names.map((name) => figures[name]?.trim()).find((value) => value) ?? "";

/** What nobody named cannot be held against a limit, and nobody could tell what they approve. */
function tradeGaps(figures: Proposal["figures"]): string[] {
  const symbol = firstOf(figures, "symbol", "ticker", "instrument", "pair", "market");
  const side = firstOf(figures, "side", "direction").toLowerCase();
  const size = firstOf(figures, "size", "quantity", "qty", "amount");
  const gaps: [string, boolean][] = [
    ["symbol", readSymbol(symbol) === null],
    ["side", !["buy", "sell", "long", "short"].includes(side)],
    ["size", size === ""],
  ];
  const missing = gaps.filter(([, isMissing]) => isMissing).map(([name]) => name);
  const found = missing.length === 0
    ? []
    : [`no ${missing.join(", no ")} to hold against the limits`];
  return size !== "" && positive(size) === null
    ? [...found, "the size is not a positive decimal"]
    : found;
}

function tradeCaps(policy: Policy, figures: Proposal["figures"]): string[] {
  const { max_daily_loss_pct, max_drawdown_pct, max_positions } = policy.limits.trading;
  const caps: [string[], number, string][] = [
    [
      ["risk_pct", "risk_percent", "daily_loss_pct", "max_loss_pct"],
      max_daily_loss_pct,
      "% daily loss",
    ],
    [["drawdown_pct"], max_drawdown_pct, "% drawdown"],
    [["positions", "open_positions"], max_positions, " positions"],
  ];
  return caps.flatMap(([names, cap, unit]) =>
    names.filter((name) => {
      const value = decimal((figures[name] ?? "0").replace(/\s?%$/, ""));
      return value === null || compare(value, String(cap)) > 0;
    }).map((name) => `${name} is not within ${cap}${unit}`)
  );
}

function proposalBreaches(proposal: Proposal, subject: Subject): string[] {
  const { action, figures } = proposal;
  const { policy, task } = subject;
  const breaches = action === task.action
    ? []
    : [`it proposes ${action}, asked was ${task.action}`];
  if (action === "TRADE") {
    breaches.push(
      ...tradeGaps(figures),
      ...tradeCaps(policy, figures),
      ...tradeBreaches(proposal, subject),
    );
  }
  // A paid order's amount is on the chain; its cap holds where the effect starts, at the price of then.
  if (action === "PAYMENT" && proposal.grant !== undefined) {
    breaches.push(...accessBreaches(proposal, subject));
  } else if (action === "PAYMENT" || action === "WITHDRAWAL") {
    breaches.push(...amountCap(policy, figures));
  }
  return breaches;
}

function breaches(work: ReadWork, subject: Subject): string[] {
  const { policy, task, artifact } = subject;
  const found: string[] = [];
  const tier = tierOf(policy, task.action);
  if (tier === null) found.push(`the policy does not know the action ${task.action}`);
  else if (tier > task.risk_tier) {
    found.push(`${task.action} is ${tier}, the task is only ${task.risk_tier}`);
  }
  const agents: (string | null)[] = [
    ...Object.values(policy.agents),
    ...Object.values(policy.optional_agents),
  ];
  if (!agents.includes(artifact.agent)) {
    found.push(`the policy does not know the agent ${artifact.agent}`);
  }
  const { max_artifact_chars, blocked_url_schemes } = policy.guardrails.text;
  if (artifact.content.length > max_artifact_chars) {
    found.push(`the artifact is longer than ${max_artifact_chars} characters`);
  }
  const texts = externalTexts(work, subject);
  // A scheme with what makes it a link: "data: CPI" is talk, "data:text/html" is not.
  const schemes = blocked_url_schemes.map((scheme) => scheme.replace(/[.+]/g, "\\$&")).join("|");
  const links = new RegExp(
    `(?:^|[^a-z0-9])(?:${schemes}):(?:\\/\\/|https?:|[a-z]{1,32}\\/|[a-z_$.]{1,64}[(=\\[])`,
    "i",
  );
  if (texts.some((text) => links.test(text))) found.push("a link has a blocked scheme");
  if ([artifact.content, ...texts].some((text) => maskSecrets(text) !== text)) {
    found.push("the text contains a secret");
  }
  if (work.type === "idea" && !isSymbol(work.idea.symbol)) {
    found.push("the symbol is not one that an exchange would list");
  }
  if (work.type === "proposal") found.push(...proposalBreaches(work.proposal, subject));
  if (work.type === "unreadable") found.push("what cannot be read cannot be allowed");
  return found;
}

/** All or nothing: a work that breaches the policy anywhere breaches it. */
export const judgePolicy: Rule = (work, subject) => {
  const lost = breaches(work, subject);
  return { mark: lost.length === 0 ? criteria.policy : 0, lost };
};
