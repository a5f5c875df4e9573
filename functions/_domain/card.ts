import type { ApprovalCard, Button, CardResult, ShownFigure, ShownIdea } from "./notification.ts";
import { clean, clip, line, messageLimit, utc } from "./telegram-text.ts";

// Limits per foreign value. What a decision needs (the figures, the score, the expiry, the digest) always fits;
// what comes between gives way line by line, and says so (a property test holds the sum below Telegram's 4096).
const shortValue = 64;
const sentence = 280;
const atMost = 4;

/** The beginning of the digest, enough for a person to compare two screens. */
export const shortDigest = (digest: string | null): string =>
  /^[0-9a-f]{12}/.exec(digest ?? "")?.[0] ?? "unknown";

const known = (value: string | null, limit = shortValue): string =>
  value === null || line(value, limit) === "" ? "unknown" : line(value, limit);

const listed = (values: string[], none: string): string =>
  values.length === 0 ? none : line(values.slice(0, 8).join(", "), sentence);

/** `27044.6 (derived: stop_loss_pct 0.5 of entry)`: a figure never goes without where it comes from. */
export function figureText(figure: ShownFigure): string {
  const value = known(figure.value);
  if (value === "unknown") return value;
  if (figure.origin === "alert") return `${value} (alert)`;
  if (figure.origin === "derived") return `${value} (derived: ${known(figure.rule)})`;
  return `${value} (origin unknown)`;
}

/** What is proposed, a line each; shared by the card and the published post. */
export function ideaHeading(idea: ShownIdea): string {
  const what = idea.kind === "update" ? "update" : "idea";
  const market = [idea.symbol, idea.exchange].flatMap((part) => line(part ?? "", 32) || []);
  const side = line(idea.side ?? "", 16);
  return `${market.join(" on ") || "unknown"}${side && `, ${side}`}: ${what}`;
}

export function ideaFigures(idea: ShownIdea): string[] {
  const targets = idea.take_profits.slice(0, 6);
  return [
    `${idea.kind === "update" ? "Price" : "Entry"}: ${figureText(idea.entry)}`,
    `Stop loss: ${figureText(idea.stop_loss)}`,
    ...(targets.length === 0
      ? ["Take profit: unknown"]
      : targets.map((target, at) => `Take profit ${at + 1}: ${figureText(target)}`)),
    `Size: ${figureText(idea.size)}`,
    `Reward to risk: ${known(idea.reward_risk)}`,
  ];
}

function ideaLines(idea: ShownIdea): string[] {
  const bare = idea.kind === "update" && idea.entry.value === null;
  return [`What: ${ideaHeading(idea)}`, ...(bare ? [] : ideaFigures(idea))];
}

/** Where the idea comes from, as far as the alert said. */
export function ideaOrigin(idea: ShownIdea): string[] {
  return [
    ...(idea.timeframe === null ? [] : [`Timeframe: ${known(idea.timeframe)}`]),
    ...(idea.strategy === null ? [] : [`Strategy: ${known(idea.strategy)}`]),
    ...(idea.note === null ? [] : [`Note: ${known(idea.note, sentence)}`]),
  ];
}

function evidenceLines(card: ApprovalCard): string[] {
  const evidence = card.idea?.evidence ?? [];
  const similar = card.idea?.similar ?? [];
  return [
    evidence.length === 0 ? "Evidence: none" : "Evidence:",
    ...evidence.slice(0, atMost).map((item) =>
      `- ${known(item.node_id)} ${known(item.artifact_id)}, sha256 ${shortDigest(item.checksum)}` +
      (item.stale ? ", STALE: not looked up for this" : "")
    ),
    ...more(evidence.length),
    similar.length === 0 ? "Similar ideas: none found" : "Similar ideas:",
    ...similar.slice(0, atMost).map((item) =>
      `- chunk ${known(item.chunk_id)}, distance ${distanceText(item.distance)}: ${
        known(item.excerpt, 80)
      }`
    ),
    ...more(similar.length),
  ];
}

/** Four decimals are enough to compare; a distance that is no number is shown as it came. */
export function distanceText(distance: string | null): string {
  const value = Number(distance ?? Number.NaN);
  return Number.isFinite(value) ? value.toFixed(4) : known(distance, 12);
}

const more = (count: number): string[] => count > atMost ? [`- and ${count - atMost} more`] : [];

function decisionLine(decided: ApprovalCard["decided"][number]): string {
  const verdict = decided.decision === "approve"
    ? "approved"
    : decided.decision === "reject"
    ? "rejected"
    : known(decided.decision, 16);
  const by = `${known(decided.approver)} (${known(decided.role, 32)})`;
  const reason = decided.reason === null ? "" : `: ${line(decided.reason, 160)}`;
  return `- ${by} ${verdict}, ${utc(decided.ts)}${reason}`;
}

/** Foreign text of many lines, each marked, so that none can pass for a line of the card. */
function quoted(post: string | null): string[] {
  if (post === null) return [];
  const lines = clean(post).split("\n").slice(0, 12).map((row) => `| ${line(row, 160)}`);
  return ["It would say:", ...lines];
}

/** The rehearsal in its own words, marked like every text that an agent wrote. */
function rehearsal(lines: string[] | null): string[] {
  if (lines === null) return [];
  return ["Dry run:", ...lines.slice(0, 12).map((row) => `| ${line(row, 160)}`)];
}

/** Keeps the head and the foot whole and as much of the middle as there is room for. */
function fit(head: string[], middle: string[], foot: string[]): string {
  const whole = (kept: string[]) => [...head, ...kept, ...foot].join("\n");
  let kept = middle;
  while (kept.length > 0 && whole(kept).length > messageLimit) {
    kept = [...kept.slice(0, kept.at(-1) === shortened ? -2 : -1), shortened];
    if (kept.length === 1) break;
  }
  return clip(whole(kept), messageLimit);
}
const shortened = "(shortened)";

/** The text of an approval card. Whoever reads it can decide without opening anything else. */
export function approvalCardText(card: ApprovalCard): string {
  const code = known(card.code);
  const why = card.idea?.summary ?? card.goal;
  const head = [
    `${known(card.tier, 8)} ${known(card.action)} needs a decision`,
    `Code: ${code}`,
    `Task: ${known(card.task_id)}`,
    ...(card.idea ? ideaLines(card.idea) : [`What: ${known(card.goal, sentence)}`]),
    `Why: ${known(why, sentence)}`,
    `Risk: ${known(card.tier, 8)}, asked for by ${known(card.requested_by)}`,
    `Critic: ${known(card.score, 12)} of 1, at least ${known(card.threshold, 12)} needed`,
    `Red flags: ${listed(card.red_flags, "none")}`,
  ];
  const middle = [
    ...rehearsal(card.dry_run),
    ...(card.idea ? [...evidenceLines(card), ...ideaOrigin(card.idea)] : quoted(card.post)),
    card.decided.length === 0 ? "Decided so far: nobody" : "Decided so far:",
    ...card.decided.slice(0, atMost).map(decisionLine),
  ];
  const foot = [
    `Must approve: ${listed(card.required_roles, "unknown")}`,
    `Expires: ${utc(card.expires_at)} (no answer counts as no)`,
    `Digest: ${shortDigest(card.digest)}`,
    card.second_factor
      ? `To say yes, send: /approve ${code} yes otp:<6 digits> [reason]`
      : `Tap a button, or send: /approve ${code} yes|no [reason]`,
  ];
  return fit(head, middle, foot);
}

/** Two buttons that carry an opaque nonce: what it stands for is known to the database alone. */
export const approvalButtons = (card: Pick<ApprovalCard, "nonce">): Button[] => [
  { text: "Approve", callback_data: `y:${card.nonce}` },
  { text: "Reject", callback_data: `n:${card.nonce}` },
];

// What happens next, said with the outcome, so that nobody has to ask.
const outcomes: Record<string, string> = {
  approved: "Approved. It is carried out as soon as nothing holds it.",
  consumed: "Approved, and being carried out.",
  rejected: "Rejected. Nothing is carried out.",
  expired: "Expired without enough answers, which counts as no. Nothing is carried out.",
  superseded:
    "Replaced: what was shown here is not what would be done now. Decide on the newest card.",
};

// What keeps an approved effect from being carried out, and what ends that.
const holds: Record<string, string> = {
  t3_execution_disabled:
    "Approved. It waits: T3 is switched off, and goes on when an owner sends /t3 on.",
  stopped: "Approved. It waits: an emergency stop holds it until two people resume.",
  effect_unknown:
    "Approved, and nobody saw what became of it. Look at the receiver, then send /resolve.",
};

function outcomeLine({ status, held, task_status, task_id }: CardResult): string[] {
  if (status === "approved" || status === "consumed") {
    if (held !== null && Object.hasOwn(holds, held)) return [holds[held]];
    if (task_status === "failed") {
      return [`Approved, and its task has failed. What is known of it: /status ${known(task_id)}`];
    }
  }
  return status !== null && Object.hasOwn(outcomes, status) ? [outcomes[status]] : [];
}

/** What the card becomes once a decision is committed; the buttons go with the edit. */
export function cardResultText(card: CardResult): string {
  const lines = [
    `${known(card.tier, 8)} ${known(card.action)}: ${known(card.status, 32)}`,
    `Code: ${known(card.code)}`,
    `Task: ${known(card.task_id)}`,
    ...(card.idea ? ideaLines(card.idea) : [`What: ${known(card.goal, sentence)}`]),
    `Critic: ${known(card.score, 12)} of 1, at least ${known(card.threshold, 12)} needed`,
    card.decided.length === 0 ? "Decisions: none" : "Decisions:",
    ...card.decided.slice(0, atMost).map(decisionLine),
    ...outcomeLine(card),
    `Digest: ${shortDigest(card.digest)}`,
  ];
  return clip(lines.join("\n"), messageLimit);
}
