import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { embed } from "../../../functions/_channels/embedder.ts";
import { databaseMemory } from "../../../functions/_database/working-memory.ts";
import type { StepWork } from "../../../functions/_domain/task.ts";
import { dispatch, type DispatchDeps } from "../../../functions/orchestrator/dispatch.ts";
import { agents } from "../../../functions/orchestrator/roster.ts";
import { noOutside } from "../../support/outside.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  approvedSignal,
  archive,
  claim,
  complete,
  confirm,
  plan,
  policy,
  policySha256,
  reserve,
  start,
} from "../../support/line.ts";

let db: TestDatabase;
let work: StepWork;
let searches: number;
let deps: DispatchDeps;

beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  const { taskId, work: publish } = await approvedSignal(db);
  const { effect_id } = await reserve(db, publish);
  await start(db, effect_id, publish);
  await confirm(db, effect_id, publish);
  const step = (await claim(db, ["orchestrator"])).find(({ task_id }) => task_id === taskId)!;
  const content = "long BTCUSDT 67000";
  await archive(db, step, [{ symbol: "BTCUSDT", content, embedding: await embed(content) }]);
  const asked: DispatchDeps["database"] = {
    ...db.database,
    call: (name, args) => {
      if (name === "search_chunks") searches++;
      return db.database.call(name, args);
    },
  };
  deps = {
    database: asked,
    policy,
    policy_sha256: policySha256,
    agents,
    embed,
    judge: null,
    ...noOutside,
    memory: databaseMemory(asked, "test"),
    now: () => new Date(),
  };
});
afterAll(() => db.close());

const retrieve = async (): Promise<StepWork> =>
  (await claim(db, ["retriever"])).find(({ task_id }) => task_id === work.task_id)!;
/** The worker dies and the step is handed out again. */
async function again(): Promise<StepWork> {
  await db.owner(
    "update public.task_steps set lease_expires_at = private.now() - interval '1 second' where step_id = $1",
    [work.step_id],
  );
  await db.owner("select private.reap_leases()");
  await db.owner("update public.task_steps set run_at = private.now() where step_id = $1", [
    work.step_id,
  ]);
  return await retrieve();
}
const keys = () =>
  db.owner<{ key: string }>("select key from public.working_memory where task_id = $1", [
    work.task_id,
  ]);
const chunksOf = (dispatched: Awaited<ReturnType<typeof dispatch>>) =>
  JSON.parse(dispatched?.result.artifact?.content ?? "{}").chunks;

beforeEach(async () => {
  const { task_id } = await accept(db, alertEvent(`BUY BTCUSDT ${crypto.randomUUID()}`));
  await plan(db, (await claim(db, ["planner"])).find((step) => step.task_id === task_id)!);
  searches = 0;
  work = { task_id } as StepWork;
  work = await retrieve();
});

describe("a step that is tried again", () => {
  it("sees what its first attempt found, without searching", async () => {
    const first = await dispatch(deps, work);
    expect(chunksOf(first)).toHaveLength(1);
    const second = await dispatch(deps, await again());
    expect([chunksOf(second), searches]).toEqual([chunksOf(first), 1]);
  });

  it("searches again where the memory was purged, and succeeds", async () => {
    const first = await dispatch(deps, work);
    const [{ key }] = await keys();
    await db.database.call("forget", { p_key: key, p_actor: "test" });
    const next = await again();
    const second = await dispatch(deps, next);
    expect([chunksOf(second), searches]).toEqual([chunksOf(first), 2]);
    expect(await complete(db, next, second?.result)).toMatchObject([{ status: "done" }]);
    expect(await keys()).toEqual([{ key }]);
  });

  it("does not take over what was kept for another search", async () => {
    await db.database.call("remember", {
      p_key: `task:${work.task_id}:${work.node_id}:${work.input_hash}`,
      p_task_id: work.task_id,
      p_value: { symbol: "ETHUSDT", limit: 5, chunks: [] },
      p_hours: 24,
      p_actor: "test",
    });
    await dispatch(deps, { ...work, attempt: 2 });
    expect(searches).toBe(1);
  });
});
