import { z } from "zod";
import { findInjection } from "../_domain/injection.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";
import type { Agent, AgentContext, Chunk } from "./agent.ts";
import { alertOf, givenText, symbolOf } from "./source-material.ts";

export interface RetrievedChunk {
  chunk_id: string;
  task_id: string;
  artifact_id: string;
  distance: number;
  version: number;
  /** The archived words; null where they try to give orders: the memory is external text as well. */
  content: string | null;
}

export interface Retrieval {
  query: string;
  symbol: string | null;
  chunks: RetrievedChunk[];
  note: string;
  /** Set where nothing was searched and what was found before is cited instead. */
  stale?: true;
  as_of?: string;
}

const mostChunks = 5;
const longestQuery = 1000;

/** What a similar idea would have in common with this one; figures are left out, since they differ every time. */
export function queryFor(task: StepWork["task"]): string {
  const alert = alertOf(task);
  const parts = alert
    ? ["side", "symbol", "exchange", "timeframe", "strategy"].map((name) => alert[name])
    : [symbolOf(task), task.action, task.goal, givenText(task)];
  return parts.filter((part): part is string => typeof part === "string" && part.trim() !== "")
    .filter((part) => !findInjection(part).flagged)
    .join(" ").slice(0, longestQuery);
}

function cited(chunk: Chunk): RetrievedChunk {
  const { chunk_id, task_id, artifact_id, version, content } = chunk;
  return {
    chunk_id,
    task_id,
    artifact_id,
    distance: Math.round(chunk.distance * 1e6) / 1e6,
    version,
    content: findInjection(content).flagged ? null : content,
  };
}

const byDistance = (a: RetrievedChunk, b: RetrievedChunk) =>
  a.distance - b.distance || (a.chunk_id < b.chunk_id ? -1 : 1);

type Found = Pick<Retrieval, "chunks" | "stale" | "as_of">;

async function search(context: AgentContext, symbol: string, query: string): Promise<Found> {
  const embedding = await context.tool("embed", () => context.embed(query));
  const found = await context.tool(
    "chunks.search",
    () => context.search(symbol, embedding, mostChunks),
  );
  return { chunks: found.map(cited).sort(byDistance) };
}

const remembered = z.array(z.object({
  chunk_id: z.string(),
  task_id: z.string(),
  artifact_id: z.string(),
  distance: z.number(),
  version: z.number(),
  content: z.string().nullable(),
}));

/** What was found before, for as long as nothing can be searched; null where nothing was, or it cannot be read. */
async function recall({ tool, remember }: AgentContext, symbol: string): Promise<Found | null> {
  const kept = remember && await tool("artifacts.read", () => remember(symbol));
  const chunks = remembered.safeParse(kept?.chunks);
  return kept && chunks.success
    ? { chunks: chunks.data.slice(0, mostChunks), stale: true, as_of: kept.as_of }
    : null;
}

async function find(context: AgentContext, symbol: string, query: string): Promise<Found> {
  try {
    return await search(context, symbol, query);
  } catch (error) {
    const isAway = error instanceof Refusal && ["unavailable", "breaker_open"].includes(error.code);
    const kept = isAway ? await recall(context, symbol) : null;
    if (kept === null) throw error;
    return kept;
  }
}

function noteOn(symbol: string | null, { chunks, as_of }: Found): string {
  if (symbol === null) return "the request names no symbol: nothing was searched";
  if (as_of) return `stale: nothing could be searched, this was found on ${symbol} at ${as_of}`;
  return chunks.length === 0
    ? `nothing on ${symbol} is archived yet`
    : "cited by chunk id; distance 0 is the same direction, 2 the opposite";
}

/** Finds archived ideas on the same symbol by cosine distance and cites each with its id and distance. */
export const retriever: Agent = async (work, context) => {
  const { query, symbol } = await context.tool(
    "artifacts.read",
    () => Promise.resolve({ query: queryFor(work.task), symbol: symbolOf(work.task) }),
  );
  const found = symbol === null ? { chunks: [] } : await find(context, symbol, query);
  const content: Retrieval = { query, symbol, ...found, note: noteOn(symbol, found) };
  return {
    artifact: {
      type: "retrieval",
      media_type: "application/json",
      content: JSON.stringify(content),
    },
    output: {
      chunks: found.chunks.map(({ chunk_id, version, distance }) => ({
        chunk_id,
        version,
        distance,
      })),
      ...(found.stale ? { stale: true } : {}),
    },
  };
};
