import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StepWork } from "../../functions/_domain/task.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import {
  accept,
  activate,
  alertEvent,
  type Answer,
  archive,
  claim,
  complete,
  fail,
  lease,
  marks,
  plan,
  policy,
  policySha256,
  refusalsOf,
  reserve,
  resultOf,
  statusOf,
} from "../support/line.ts";

let db: TestDatabase;
let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  clock = await freezeClock(db, "2027-06-01T10:00:00Z");
});
beforeEach(() => clock.advance(3600));
// What one test leaves ready must not turn up in another.
afterEach(async () => {
  await db.owner(
    "select private.end_task(task_id, 'failed', 'internal') from public.tasks where ended_at is null",
  );
});
afterAll(() => db.close());

interface Node {
  id: string;
  agent: string;
  after?: string[];
  action?: string;
}

/** A T0 task with these nodes in the middle: all of them before the critic, then the effect and the archive. */
async function task(middle: Node[]): Promise<string> {
  const { task_id } = await accept(
    db,
    alertEvent(`read ${Math.random()}`, { source: "desk", action: "READ" }),
  );
  const [work] = await claim(db, ["planner"]);
  const parents = new Set(middle.flatMap(({ after }) => after ?? []));
  const sinks = middle.filter(({ id }) => !parents.has(id)).map(({ id }) => id);
  const answer = await plan(db, work, [
    { id: "plan", agent: "planner", action: "READ" },
    ...middle,
    { id: "critic", agent: "critic", after: sinks, action: "READ" },
    { id: "approve", agent: "human", after: ["critic"], action: "READ" },
    { id: "publish", agent: "exec", after: ["approve"], action: "READ" },
    { id: "archive", agent: "orchestrator", after: ["publish"], action: "READ" },
  ]);
  expect(answer).toMatchObject({ status: "planned", risk_tier: "T0" });
  return task_id as string;
}

const act: Node = { id: "act", agent: "exec", after: ["plan"], action: "RESEARCH" };
const twins: Node[] = [
  { id: "left", agent: "researcher", after: ["plan"], action: "RESEARCH" },
  { id: "right", agent: "retriever", after: ["plan"], action: "RETRIEVE" },
  { ...act, after: ["left", "right"] },
];
const item = (work: StepWork, result: unknown = resultOf(work)) => ({
  step_id: work.step_id,
  attempt: work.attempt,
  lease_token: work.lease_token,
  result,
});
const batch = (items: unknown[]) =>
  db.database.call<Answer[]>("complete_steps", { p_results: items, p_policy_sha256: policySha256 });
const record = { p_kind: "record", p_channel: "internal", p_payload: {} };
const stepOf = async (taskId: string, node: string) =>
  (await db.owner<{ status: string; attempt: number; failures: number }>(
    "select status, attempt, failures from public.task_steps where task_id = $1 and node_id = $2",
    [taskId, node],
  ))[0];

describe("a completion is refused", () => {
  it("by a lost lease, which is on record, and changes nothing", async () => {
    const taskId = await task([act]);
    const [work] = await claim(db);
    for (
      const other of [{ attempt: 2 }, { lease_token: crypto.randomUUID() }, {
        step_id: crypto.randomUUID(),
      }]
    ) {
      expect(await complete(db, { ...work, ...other }, resultOf(work))).toMatchObject([{
        refused: "stale_lease",
      }]);
    }
    expect(await refusalsOf(db, taskId)).toEqual(["stale_lease", "stale_lease"]);
    expect(await stepOf(taskId, "act")).toMatchObject({ status: "running" });
  });

  it("from a worker that was paused while another took over", async () => {
    const taskId = await task([act]);
    const [slow] = await claim(db);
    await clock.advance(31);
    await db.database.call("sweep");
    const [quick] = await claim(db);
    expect(await complete(db, slow, resultOf(slow))).toMatchObject([{ refused: "stale_lease" }]);
    expect(await fail(db, slow)).toMatchObject({ refused: "stale_lease" });
    expect(await db.database.call("extend_lease", lease(slow))).toMatchObject({
      refused: "stale_lease",
    });
    expect(await complete(db, quick, resultOf(quick))).toMatchObject([{ status: "done" }]);
    expect(
      await db.owner("select 1 from public.artifacts where task_id = $1 and type = 'result'", [
        taskId,
      ]),
    ).toHaveLength(1);
  });

  it("the second time, in the same batch and in the next", async () => {
    const taskId = await task([act]);
    const [work] = await claim(db);
    expect(
      (await batch([item(work), item(work)])).map(({ status, refused }) => refused ?? status)
        .sort(),
    ).toEqual(["done", "stale_lease"]);
    expect(await batch([item(work)])).toMatchObject([{ refused: "stale_lease" }]);
    expect(
      await db.owner("select 1 from public.artifacts where task_id = $1 and type = 'result'", [
        taskId,
      ]),
    ).toHaveLength(1);
  });

  it.each<[string, unknown]>([
    ["nothing", null],
    ["an artifact without content", { artifact: { type: "result", media_type: "text/plain" } }],
    ["an artifact that is a list", { artifact: [] }],
    ["an artifact of an odd type", {
      artifact: { type: "Result!", media_type: "text/plain", content: "x" },
    }],
    ["an artifact that passes itself off as the post", {
      artifact: { type: "post", media_type: "text/plain", content: "x" },
    }],
    ["257 KiB", {
      artifact: { type: "result", media_type: "text/plain", content: "x".repeat(263_168) },
    }],
    ["a post that belongs to nothing", { post: "x" }],
    ["a quality above one", { quality_score: 1.7 }],
    ["a quality in words", { quality_score: "0.95" }],
  ])("with %s, and its neighbour in the batch is done", async (_what, result) => {
    const taskId = await task(twins);
    const [left, right] = (await claim(db)).sort((a, b) => a.node_id < b.node_id ? -1 : 1);
    const answers = await batch([item(left, result), item(right)]);
    expect(answers.find(({ step_id }) => step_id === left.step_id)).toMatchObject({
      refused: "invalid_request",
    });
    expect([await stepOf(taskId, "left"), await stepOf(taskId, "right")]).toMatchObject([{
      status: "running",
    }, { status: "done" }]);
  });

  it("of an effect and of the archive, which end through their own functions", async () => {
    const taskId = await task([act]);
    for (const node of ["act", "critic"]) {
      const [work] = await claim(db);
      expect(work.node_id).toBe(node);
      expect(await complete(db, work, resultOf(work))).toMatchObject([{ status: "done" }]);
    }
    const [effect] = await claim(db);
    expect(await complete(db, effect, resultOf(effect))).toMatchObject([{
      refused: "invalid_request",
    }]);
    await reserve(db, effect, record);
    const [last] = await claim(db);
    expect(await complete(db, last, {})).toMatchObject([{ refused: "invalid_request" }]);
    expect(await archive(db, last)).toEqual({ status: "archived" });
    expect(await statusOf(db, taskId)).toBe("archived");
  });

  it.each<[string, string, Record<string, unknown> | null]>([
    ["without an evaluation", "evaluation_missing", null],
    ["of an artifact of nobody", "evaluation_missing", {
      artifact_id: crypto.randomUUID(),
      rubric: marks,
    }],
    ["with a mark above its maximum", "score_out_of_range", {
      rubric: { ...marks, factuality: 3.01 },
    }],
    ["with a mark below zero", "score_out_of_range", { rubric: { ...marks, risk: -1 } }],
    ["with a mark in words", "score_out_of_range", { rubric: { ...marks, risk: "1" } }],
    ["with a mark missing", "score_out_of_range", { rubric: { policy: 1 } }],
    ["of other bytes than the stored ones", "digest_drift", {
      rubric: marks,
      artifact_checksum: "0".repeat(64),
    }],
    ["with flags that are no list", "invalid_request", { rubric: marks, red_flags: { a: 1 } }],
  ])("of a critic %s: %s", async (_what, code, evaluation) => {
    await task([act]);
    const [draft] = await claim(db);
    await complete(db, draft, resultOf(draft));
    const [work] = await claim(db);
    const artifact_id = work.inputs.find(({ node_id }) => node_id === "act")!.artifact_id;
    const answers = await batch([
      item(work, evaluation === null ? {} : { evaluation: { artifact_id, ...evaluation } }),
    ]);
    expect(answers).toMatchObject([{ refused: code }]);
  });

  it("of a critic that wrote what it marks", async () => {
    await task([act]);
    const [draft] = await claim(db);
    await complete(db, draft, resultOf(draft));
    await db.owner(
      "update public.artifacts set agent = $1 where task_id = $2 and type = 'result'",
      [policy.agents.critic, draft.task_id],
    );
    const [work] = await claim(db);
    expect(await complete(db, work, resultOf(work))).toMatchObject([{
      refused: "author_is_critic",
    }]);
  });
});
