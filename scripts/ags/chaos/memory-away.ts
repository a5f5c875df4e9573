import type { AgentContext } from "../../../functions/_agents/agent.ts";
import { retriever } from "../../../functions/_agents/retriever.ts";
import { embed } from "../../../functions/_channels/embedder.ts";
import { breakersOf } from "../../../functions/_database/breakers.ts";
import { behindBreaker } from "../../../functions/_domain/breaker.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import type { StepWork } from "../../../functions/_domain/task.ts";
import * as line from "../../../tests/support/line.ts";
import { memoryDrift } from "../runbooks/memory-drift.ts";
import { toolFailure } from "../runbooks/tool-failure.ts";
import { breakerState, type ChaosCase, type ChaosScene } from "./scene.ts";

const chunk = (id: string) => ({
  chunk_id: id,
  task_id: "T-2025-01-01-0001",
  artifact_id: id,
  symbol: "BTCUSDT",
  content: "the level held",
  distance: 0.1,
  version: 1,
});

/** A retrieval step in a worker's hands. */
async function retrieving(scene: ChaosScene): Promise<StepWork> {
  await line.accept(scene.db, line.alertEvent(`BUY BTCUSDT ${crypto.randomUUID()}`));
  for (const work of await line.claim(scene.db, ["planner"])) await line.plan(scene.db, work);
  for (let round = 0; round < 3; round++) {
    const work = await line.claim(scene.db, ["researcher", "retriever"]);
    const found = work.find(({ agent_class }) => agent_class === "retriever");
    for (const other of work.filter((step) => step !== found)) {
      await line.complete(scene.db, other, line.resultOf(other));
    }
    if (found) return found;
  }
  throw new Error("the plan has no retrieval");
}

/** A retrieval that found something, stored and taken into the cache. */
async function cacheOne(scene: ChaosScene): Promise<void> {
  const content = JSON.stringify({
    symbol: "BTCUSDT",
    chunks: [chunk("00000000-0000-4000-8000-000000000001")],
  });
  const artifact = { type: "retrieval", media_type: "application/json", content };
  await line.complete(scene.db, await retrieving(scene), { artifact });
  await scene.db.owner("select private.fill_retrieval_cache()");
}

/** What was found cites a chunk that is gone, and short-term keys outlive their time: the runbook clears both. */
export const staleMemory: ChaosCase = async (scene) => {
  await cacheOne(scene);
  const { task_id } = await line.accept(scene.db, line.alertEvent("SELL BTCUSDT"));
  await scene.db.database.call("remember", {
    p_key: "chaos:left-over",
    p_task_id: task_id,
    p_value: JSON.stringify({}),
    p_hours: 24,
    p_actor: "chaos",
  });
  await scene.advance(49 * 3600);
  const cached = () => scene.db.database.call<unknown>("cached_retrieval", { p_symbol: "BTCUSDT" });
  const keys = async () => (await scene.db.owner("select key from public.working_memory")).length;
  const before = { cited: await cached() !== null, keys: await keys() };
  await scene.run(memoryDrift);
  const after = { cited: await cached() !== null, keys: await keys() };
  const shown = (what: typeof before) => `${what.cited ? "cited" : "not cited"}, ${what.keys} keys`;
  return {
    injected: "a cached retrieval whose chunk is gone, and a short-term key two days old",
    observed: `before the runbook: ${shown(before)}; after: ${shown(after)}`,
    recovered: before.cited && before.keys === 1 && !after.cited && after.keys === 0,
    runbook: "memory-drift",
  };
};

/** Nothing can be searched: the retriever cites the cache and says that it is stale, until the search is back. */
export const retrievalOutage: ChaosCase = async (scene) => {
  await cacheOne(scene);
  let isAway = true;
  let searches = 0;
  const { database } = scene.db;
  const breakers = breakersOf({ database, now: scene.now, inHouse: [] });
  const context: AgentContext = {
    policy: line.policy,
    now: scene.now(),
    judge: null,
    tool: (_, run) => run(),
    embed: (text) => Promise.resolve(embed(text)),
    search: () =>
      behindBreaker(breakers, "chunks.search", () => {
        searches += 1;
        return isAway
          ? Promise.reject(new Refusal("unavailable", "The memory did not answer."))
          : Promise.resolve([chunk("00000000-0000-4000-8000-000000000002")]);
      }),
    remember: (p_symbol) => database.call("cached_retrieval", { p_symbol }),
  };
  const work = await retrieving(scene);
  const isStale = async () => {
    const { artifact } = await retriever(work, context);
    return JSON.parse(artifact?.content ?? "{}").stale === true;
  };
  const during: boolean[] = [];
  for (let i = 0; i < 6; i++) {
    during.push(await isStale());
    await scene.advance(1);
  }
  const opened = await breakerState(scene.db, "chunks.search");
  const searchesWhileAway = searches;
  isAway = false;
  scene.canary = () => Promise.resolve({ asked: true, good: true, said: "1 chunk" });
  await scene.run(toolFailure, { tool: "chunks.search" });
  const after = await isStale();
  return {
    injected: `${searchesWhileAway} searches that nobody answered`,
    observed:
      `${
        during.filter(Boolean).length
      } of ${during.length} retrievals cited the cache as stale; breaker ${opened}; ` +
      `after the runbook the retrieval is ${after ? "stale" : "fresh"}`,
    recovered: during.every(Boolean) && searchesWhileAway === 5 && opened === "open" && !after,
    runbook: "tool-failure",
  };
};
