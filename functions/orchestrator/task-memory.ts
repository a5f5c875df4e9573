import { z } from "zod";
import type { AgentContext, Chunk } from "../_agents/agent.ts";
import type { StepWork } from "../_domain/task.ts";
import type { WorkingMemory } from "../_domain/working-memory.ts";

const found = z.object({
  symbol: z.string(),
  limit: z.number(),
  chunks: z.array(
    z.object({
      chunk_id: z.string(),
      task_id: z.string(),
      artifact_id: z.string(),
      symbol: z.string().nullable(),
      content: z.string(),
      distance: z.number(),
      version: z.number(),
    }),
  ),
});

const keyOf = ({ task_id, node_id, input_hash }: StepWork): string =>
  `task:${task_id}:${node_id}:${input_hash}`.slice(0, 200);

/**
 * What a step found in the archive is its task's working set: a step that is tried again sees what its first attempt
 * saw, though more was archived meanwhile. Where the memory has lost it the archive is searched again.
 */
export const searchOnce = (
  memory: WorkingMemory,
  work: StepWork,
  search: AgentContext["search"],
): AgentContext["search"] =>
async (symbol, embedding, limit) => {
  const key = keyOf(work);
  if (work.attempt > 1) {
    const kept = found.safeParse((await memory.recall(key))?.value);
    if (kept.success && kept.data.symbol === symbol && kept.data.limit === limit) {
      return kept.data.chunks;
    }
  }
  const chunks: Chunk[] = await search(symbol, embedding, limit);
  if (chunks.length > 0) {
    const value = found.parse({ symbol, limit, chunks });
    await memory.remember({ key, task_id: work.task_id, value });
  }
  return chunks;
};
