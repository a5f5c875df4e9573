import type { Alert } from "./alert.ts";
import type { Figure, Idea } from "./idea.ts";

/** One sentence from the figures alone: what the alert's author wrote in prose has its own field, and no say here. */
export function ideaSummary(alert: Alert, idea: Omit<Idea, "summary">): string {
  const where = idea.exchange === null ? idea.symbol : `${idea.symbol} on ${idea.exchange}`;
  return idea.kind === "entry" ? entrySentence(where, idea) : updateSentence(where, alert);
}

function entrySentence(where: string, idea: Omit<Idea, "summary">): string {
  const targets = idea.take_profits.length === 0
    ? "take profit unknown"
    : `take profit ${idea.take_profits.map(said).join(", ")}`;
  const ratio = idea.reward_risk === null
    ? "reward to risk unknown"
    : `reward to risk ${idea.reward_risk}`;
  const side = idea.side === "short" ? "Short" : "Long";
  return `${side} ${where} at ${said(idea.entry)}, stop loss ${
    said(idea.stop_loss)
  }, ${targets}, ${ratio}.`;
}

const said = ({ value, origin }: Figure): string =>
  value === null ? "unknown" : origin === "derived" ? `${value} (derived)` : value;

function updateSentence(where: string, { kind, side, price }: Alert): string {
  const position = side === null ? where : `the ${side} position in ${where}`;
  const what = {
    exit: `Exit from ${position}`,
    close: `Close of ${position}`,
    take_profit: `Take profit reached on ${position}`,
    notice: `Notice about ${position}`,
    entry: `Entry into ${position}`,
  }[kind];
  return `${what}${price === null ? "" : ` at ${price}`}; no new position.`;
}
