import { type AccessRehearsal, accessRehearsal } from "../_domain/access.ts";
import { isRefusalCode, Refusal, refusals } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";
import { utc } from "../_domain/telegram-text.ts";
import type { AgentContext, StepResult } from "./agent.ts";
import { dryRunArtifact, rehearsedIn, rehearseRequest } from "./dry-run-of-request.ts";

const or = (value: string | null, otherwise: string): string => value ?? otherwise;

function priceLine({ amount, currency, amount_usdt, quote }: AccessRehearsal): string {
  const paid = `Paid: ${or(amount, "unknown")} ${or(currency, "")}`.trimEnd();
  return quote === null || amount_usdt === null
    ? `${paid}; no fresh price to hold against the cap`
    : `${paid}, ${amount_usdt} USDT at ${quote.price} (${quote.symbol} of ${quote.source}, ${
      utc(quote.observed_at)
    })`;
}

function verdictLine(problem: string | null): string {
  if (problem === null) return "Gates now: all of them hold";
  const meaning = isRefusalCode(problem) ? ` ${refusals[problem].meaning}` : "";
  return `Gates now: it would be refused with ${problem}.${meaning}`;
}

/** The rehearsal in the words that stand on the card. */
export const accessLines = (found: AccessRehearsal): string[] => [
  `Would invite Telegram account ${found.telegram_user_id} for ${found.days} days (${found.plan})` +
  (found.subscribed_until === null ? "" : `, after ${utc(found.subscribed_until)}`),
  priceLine(found),
  `Cap: ${or(found.cap_usdt, "unknown")} USDT, ` +
  (found.override_usdt === null
    ? "no owner has lifted it"
    : `lifted by an owner to ${found.override_usdt} USDT`),
  `KYC and AML checklist: ${found.kyc_complete ? "complete" : "incomplete"}`,
  found.cool_down_until === null
    ? "Cool-down: no payment of this account before"
    : `Cool-down: until ${utc(found.cool_down_until)}`,
  verdictLine(found.problem),
];

/** A price that cannot be had is a finding of the rehearsal. Anything but a refusal is a fault and goes on. */
async function asked({ tool }: AgentContext, price: () => Promise<unknown>): Promise<void> {
  try {
    await tool("quotes.read", price);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === "tool_denied") throw error;
  }
}

/** Asks every gate of the database what it would say, and changes nothing. */
export async function rehearseAccess(
  work: StepWork,
  context: AgentContext,
): Promise<StepResult> {
  const subject = rehearsedIn(work);
  // A payment that no order stands behind lets nobody in.
  if (Object(JSON.parse(subject.content)).grant === undefined) return rehearseRequest(work);
  const { rehearse_access, market, policy } = context;
  if (rehearse_access === undefined) {
    throw new Refusal("unavailable", "The gates of the database cannot be asked.");
  }
  // Stored before it is used; without one the rehearsal says so instead of failing.
  if (market !== undefined) await asked(context, () => market(policy.payments.quote_symbol));
  const answer = await context.tool("artifacts.read", () => rehearse_access(work.task_id));
  const found = accessRehearsal.safeParse(answer);
  if (!found.success) {
    throw new Refusal("unknown_order", "No paid order stands behind this task.");
  }
  return dryRunArtifact(subject, { ...found.data, lines: accessLines(found.data) });
}
