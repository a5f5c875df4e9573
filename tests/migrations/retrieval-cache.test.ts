import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StepWork } from "../../functions/_domain/task.ts";
import { behindTools } from "../../functions/_agents/tool-runner.ts";
import { retriever } from "../../functions/_agents/retriever.ts";
import type { AgentContext, Remembered } from "../../functions/_agents/agent.ts";
import { embed } from "../../functions/_channels/embedder.ts";
import { breakersOf } from "../../functions/_database/breakers.ts";
import { dispatch } from "../../functions/orchestrator/dispatch.ts";
import { Refusal } from "../../functions/_domain/refusal.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { noOutside } from "../support/outside.ts";
import { administer } from "../support/personas.ts";
import { household } from "../support/household.ts";
import {
  accept,
  alertEvent,
  claim,
  complete,
  plan,
  policy,
  policySha256,
} from "../support/line.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await household(db);
});
afterAll(() => db.close());

const chunk = (chunk_id: string) => ({
  chunk_id,
  task_id: "T-2027-04-30-0001",
  artifact_id: "0b6f",
  distance: 0.25,
  version: 1,
  content: "Long BTCUSDT, breakout.",
});

/** A leased retrieval of a fresh signal on BTCUSDT. */
async function retrieval(): Promise<StepWork> {
  const { task_id } = await accept(db, alertEvent(`BUY ${Math.random()}`));
  for (const step of await claim(db, ["planner"])) await plan(db, step);
  return (await claim(db, ["retriever"])).find((step) => step.task_id === task_id)!;
}
const found = (work: StepWork, content: unknown) =>
  complete(db, work, {
    artifact: {
      type: "retrieval",
      media_type: "application/json",
      content: typeof content === "string" ? content : JSON.stringify(content),
    },
  });
const fill = async () =>
  (await db.owner<{ n: number }>("select private.fill_retrieval_cache() as n"))[0].n;
const cached = (symbol: string) =>
  db.database.call<Remembered | null>("cached_retrieval", { p_symbol: symbol });

const contextWith = (search: AgentContext["search"]): AgentContext =>
  behindTools({
    policy,
    now: new Date(),
    judge: null,
    tool: (_, run) => run(),
    embed: () => Promise.resolve(Array(384).fill(0.05)),
    search,
    remember: cached,
  });
const away = () => Promise.reject(new Refusal("breaker_open"));

describe("the cache of retrievals", () => {
  it("knows nothing of a symbol on which nothing was found, and then the step is given back", async () => {
    await found(await retrieval(), { symbol: "BTCUSDT", chunks: [] });
    await found(await retrieval(), "no json at all");
    await found(await retrieval(), { symbol: "BTCUSDT", chunks: "none" });
    await fill();
    expect(await cached("BTCUSDT")).toBeNull();
    await expect(retriever(await retrieval(), contextWith(away))).rejects.toMatchObject({
      code: "breaker_open",
    });
  });

  it("keeps the newest that was found on a symbol, and says when and that it is old", async () => {
    await found(await retrieval(), { symbol: "BTCUSDT", chunks: [chunk("old")] });
    await found(await retrieval(), { symbol: "BTCUSDT", chunks: [chunk("new")] });
    await fill();
    expect(await cached("BTCUSDT")).toMatchObject({ stale: true, chunks: [{ chunk_id: "new" }] });
    expect(await cached("ETHUSDT")).toBeNull();
  });

  it("stands in while nothing can be searched, marked stale in the artifact", async () => {
    const result = await retriever(await retrieval(), contextWith(away));
    const content = JSON.parse(result.artifact!.content);
    expect(content).toMatchObject({ stale: true, chunks: [{ chunk_id: "new" }] });
    expect(content.note).toMatch(/^stale: .* BTCUSDT at 20/);
    expect(result.output).toMatchObject({ stale: true });
  });

  it("stands in when the orchestrator finds the memory's breaker open", async () => {
    await administer(db, "trip_breaker('chunks.search', 'down', 'test')", []);
    const now = () => new Date();
    const done = await dispatch({
      ...noOutside,
      breakers: breakersOf({ database: db.database, now }),
      database: db.database,
      policy,
      policy_sha256: policySha256,
      agents: { retriever },
      embed,
      judge: null,
      now,
    }, await retrieval());
    expect(JSON.parse(done!.result.artifact!.content)).toMatchObject({
      stale: true,
      chunks: [{ chunk_id: "new" }],
    });
    await administer(db, "reset_breaker('chunks.search', 'mended', 'test')", []);
  });

  it("does not stand in for a fault of ours, nor while the search answers", async () => {
    const broken = contextWith(() => Promise.reject(new TypeError("x is undefined")));
    await expect(retriever(await retrieval(), broken)).rejects.toThrow(TypeError);
    const well = await retriever(await retrieval(), contextWith(() => Promise.resolve([])));
    expect(JSON.parse(well.artifact!.content)).not.toHaveProperty("stale");
  });

  it("is not fed by what stood in for a search", async () => {
    await found(await retrieval(), {
      symbol: "BTCUSDT",
      chunks: [chunk("copied")],
      stale: true,
    });
    await fill();
    expect(await cached("BTCUSDT")).toMatchObject({ chunks: [{ chunk_id: "new" }] });
  });
});
