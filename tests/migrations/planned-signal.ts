import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { StepWork } from "../../functions/_domain/task.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { accept, activate, alertEvent, claim, fail } from "../support/line.ts";

/** A signal whose plan step is leased, a fresh one for each test, and a plan that would be accepted. */
export let db: TestDatabase;
export let work: StepWork;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
});
beforeEach(async () => {
  await accept(db, alertEvent(`BUY ${Math.random()}`));
  [work] = await claim(db, ["planner"]);
});
afterEach(async () => void await fail(db, work, "invalid_plan"));
afterAll(() => db.close());

export type Node = Record<string, unknown>;
export const good: Node[] = [
  { id: "plan", agent: "planner", action: "READ" },
  { id: "act", agent: "trader", after: ["plan"], action: "DRAFT_REPLY" },
  { id: "critic", agent: "critic", after: ["act"], action: "READ" },
  { id: "approve", agent: "human", after: ["critic"], tier: "T2", action: "READ" },
  { id: "publish", agent: "communicator", after: ["approve"], action: "PUBLISH" },
  { id: "archive", agent: "orchestrator", after: ["publish"], action: "READ" },
];
export const change = (id: string, more: Node) =>
  good.map((node) => node.id === id ? { ...node, ...more } : node);
