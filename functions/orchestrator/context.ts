import type { AgentContext, Chunk, Remembered } from "../_agents/agent.ts";
import { behindTools } from "../_agents/tool-runner.ts";
import { DatabaseError } from "../_database/database.ts";
import { behindBreaker } from "../_domain/breaker.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";
import type { DispatchDeps } from "./dispatch.ts";
import { readPolicy } from "./policy-record.ts";
import { searchOnce } from "./task-memory.ts";
import { toolsFor } from "./tools.ts";

/** What an agent may ask of the world while it works on this step. */
export function contextFor(deps: DispatchDeps, work: StepWork): AgentContext {
  const search: AgentContext["search"] = (symbol, embedding, limit) =>
    behindBreaker(
      deps.breakers,
      "chunks.search",
      () =>
        searched(deps.database.call<Chunk[]>("search_chunks", {
          p_symbol: symbol,
          p_embedding: embedding,
          p_limit: limit,
        })),
    );
  return behindTools({
    policy: deps.policy,
    now: deps.now(),
    judge: deps.judge,
    embed: (text) => behindBreaker(deps.breakers, "embed", () => deps.embed(text)),
    search: deps.memory ? searchOnce(deps.memory, work, search) : search,
    remember: (p_symbol) => deps.database.call<Remembered | null>("cached_retrieval", { p_symbol }),
    rehearse_access: (p_task_id) => deps.database.call<unknown>("rehearse_access", { p_task_id }),
    read_policy: (sha256) => readPolicy(deps.database, sha256),
    market: deps.market,
    account: deps.account,
    tool: toolsFor(deps, work),
  });
}

/** A search that the database broke off is a memory that did not answer. */
async function searched(search: Promise<Chunk[]>): Promise<Chunk[]> {
  try {
    return await search;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    throw new Refusal("unavailable", `The memory did not answer (${error.code}).`);
  }
}
