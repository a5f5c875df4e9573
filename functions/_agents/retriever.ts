import { findInjection } from "../_domain/injection.ts";
import type { StepWork } from "../_domain/task.ts";
import type { Agent, Chunk } from "./agent.ts";
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

/** Finds archived ideas on the same symbol by cosine distance and cites each with its id and distance. */
export const retriever: Agent = async (work, context) => {
  const { query, symbol } = await context.tool(
    "artifacts.read",
    () => Promise.resolve({ query: queryFor(work.task), symbol: symbolOf(work.task) }),
  );
  let chunks: RetrievedChunk[] = [];
  if (symbol !== null) {
    const embedding = await context.tool("embed", () => context.embed(query));
    const found = await context.tool(
      "chunks.search",
      () => context.search(symbol, embedding, mostChunks),
    );
    chunks = found.map(cited).sort(byDistance);
  }
  const note = symbol === null
    ? "the request names no symbol: nothing was searched"
    : chunks.length === 0
    ? `nothing on ${symbol} is archived yet`
    : "cited by chunk id; distance 0 is the same direction, 2 the opposite";
  const content: Retrieval = { query, symbol, chunks, note };
  return {
    artifact: {
      type: "retrieval",
      media_type: "application/json",
      content: JSON.stringify(content),
    },
    output: {
      chunks: chunks.map(({ chunk_id, version, distance }) => ({ chunk_id, version, distance })),
    },
  };
};
