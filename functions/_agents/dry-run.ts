import { rehearse } from "../_domain/dry-run.ts";
import { proposalSchema } from "../_domain/result.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";
import type { Agent } from "./agent.ts";

/** The newest proposal of the task, read again. */
export function proposedOrder({ inputs }: Pick<StepWork, "inputs">) {
  const artifact = inputs.findLast(({ type }) => type === "proposal");
  if (!artifact) throw new Refusal("insufficient_data", "There is no proposal to rehearse.");
  let content: unknown;
  try {
    content = JSON.parse(artifact.content);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Refusal("insufficient_data", "The proposal is not JSON.");
  }
  const read = proposalSchema.safeParse(content);
  const order = read.success ? read.data.order : undefined;
  if (order === undefined) {
    throw new Refusal("insufficient_data", "The proposal has no order to rehearse.");
  }
  return { artifact, order };
}

/**
 * Rehearses an order against the price and the account of now. It decides nothing: what does not fit is written down
 * for the critic and for the people who are asked.
 */
export const dryRun: Agent = async (work, { market, account, policy, tool }) => {
  if (!market || !account) {
    throw new Refusal("unavailable", "There is no source of prices or accounts to rehearse with.");
  }
  const { artifact, order } = await tool(
    "artifacts.read",
    () => Promise.resolve(proposedOrder(work)),
  );
  const quote = await tool("quotes.read", () => market(order.symbol));
  const state = await tool("accounts.read", () => account(order.account_id));
  const rehearsed = rehearse(order, quote, state, policy.trading);
  return {
    artifact: {
      type: "dry_run",
      media_type: "application/json",
      content: JSON.stringify({ subject_sha256: artifact.checksum, ...rehearsed }),
    },
    output: {
      verdict: rehearsed.verdict,
      price: rehearsed.price,
      source: quote.source,
      observed_at: quote.observed_at,
    },
  };
};
