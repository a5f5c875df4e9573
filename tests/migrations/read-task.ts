import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { StepWork } from "../../functions/_domain/task.ts";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  accept,
  activate,
  alertEvent,
  type Answer,
  claim,
  plan,
  policySha256,
  resultOf,
} from "../support/line.ts";

/** A database of its own for the file that imports this, with a clock that stands still. */
export let db: TestDatabase;
export let clock: FrozenClock;
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

export interface Node {
  id: string;
  agent: string;
  after?: string[];
  action?: string;
}

/** A T0 task with these nodes in the middle: all of them before the critic, then the effect and the archive. */
export async function task(middle: Node[]): Promise<string> {
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

export const act: Node = { id: "act", agent: "exec", after: ["plan"], action: "RESEARCH" };
export const twins: Node[] = [
  { id: "left", agent: "researcher", after: ["plan"], action: "RESEARCH" },
  { id: "right", agent: "retriever", after: ["plan"], action: "RETRIEVE" },
  { ...act, after: ["left", "right"] },
];
export const item = (work: StepWork, result: unknown = resultOf(work)) => ({
  step_id: work.step_id,
  attempt: work.attempt,
  lease_token: work.lease_token,
  result,
});
export const batch = (items: unknown[]) =>
  db.database.call<Answer[]>("complete_steps", { p_results: items, p_policy_sha256: policySha256 });
export const record = { p_kind: "record", p_channel: "internal", p_payload: {} };
export const stepOf = async (taskId: string, node: string) =>
  (await db.owner<{ status: string; attempt: number; failures: number }>(
    "select status, attempt, failures from public.task_steps where task_id = $1 and node_id = $2",
    [taskId, node],
  ))[0];
