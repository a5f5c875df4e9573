import { z } from "zod";
import type { Alert } from "../_domain/alert.ts";
import { proposeIdea, type SimilarIdea } from "../_domain/idea.ts";
import { mask } from "../_domain/mask.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { Input } from "../_domain/task.ts";
import type { Agent } from "./agent.ts";
import { dryRun } from "./dry-run.ts";
import { cite } from "./source-material.ts";
import { proposeTrade } from "./trade-proposal.ts";

const text = z.string().max(2000);
const price = z.string().max(64).regex(/^\d{1,38}(\.\d{1,18})?$/);
// What intake stored, read again: the trader believes no row that does not have the shape.
const alertSchema: z.ZodType<Alert> = z.object({
  kind: z.enum(["entry", "exit", "take_profit", "close", "notice"]),
  symbol: z.string().min(1).max(64),
  exchange: text.nullable(),
  side: z.enum(["long", "short"]).nullable(),
  price: price.nullable(),
  stop_loss: price.nullable(),
  take_profits: z.array(price).max(10),
  stop_loss_pct: price.nullable(),
  take_profit_pct: price.nullable(),
  size: price.nullable(),
  timeframe: text.nullable(),
  strategy: text.nullable(),
  note: text.nullable(),
  alert_id: text.nullable(),
  alert_time: text.nullable(),
  repaired: z.boolean(),
  unknown_fields: z.array(text).max(64),
});
const retrievalSchema = z.object({
  chunks: z.array(
    z.object({
      chunk_id: z.string(),
      task_id: z.string(),
      distance: z.number(),
      content: z.string().nullable(),
    }),
  ),
});
const similarAtMost = 5;
const excerptLength = 160;

/** Turns the alert and what was found about it into an idea. It decides nothing and adds no number of its own. */
export const trader: Agent = async (work, context) => {
  if (work.node_id === "dry_run") return await dryRun(work, context);
  if (work.task.action === "TRADE") return await proposeTrade(work, context);
  const { policy, tool } = context;
  const payload = z.object({ alert: alertSchema }).safeParse(work.task.payload);
  if (!payload.success) {
    throw new Refusal(
      "insufficient_data",
      "The task carries no alert that can be read, so there is nothing to propose.",
    );
  }
  const inputs = await tool("artifacts.read", () => Promise.resolve(work.inputs));
  const idea = proposeIdea(payload.data.alert, policy.guardrails.signal, {
    evidence: cite(inputs),
    similar: inputs.filter(({ type }) => type === "retrieval").flatMap(similarIn).slice(
      0,
      similarAtMost,
    ),
  });
  return {
    artifact: { type: "idea", media_type: "application/json", content: JSON.stringify(idea) },
    output: { kind: idea.kind, symbol: idea.symbol, summary: idea.summary },
  };
};

function similarIn(input: Input): SimilarIdea[] {
  const read = retrievalSchema.safeParse(parse(input.content));
  if (!read.success) {
    throw new Refusal(
      "insufficient_data",
      `The retrieval artifact ${input.artifact_id} cannot be read.`,
    );
  }
  return read.data.chunks.map(({ chunk_id, task_id, distance, content }) => ({
    chunk_id,
    task_id,
    distance,
    // Archived words that gave orders were withheld; the citation stays.
    excerpt: excerpt(content ?? ""),
  }));
}

/** Null for what is no JSON; the schema says the rest. */
function parse(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const excerpt = (content: string): string =>
  [...mask(content).replace(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim()].slice(0, excerptLength).join("");
