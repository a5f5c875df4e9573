import { randomUUID } from "node:crypto";
import type { StepWork } from "../../functions/_domain/task.ts";
import type { TestDatabase } from "../support/database.ts";
import { accept, alertEvent, claim, lease, plan, policySha256, resultOf } from "../support/line.ts";
import type { Errand } from "./act.ts";
import type { Request } from "./model.ts";

const workers = ["planner", "researcher", "retriever", "trader", "critic", "exec"];

export interface Waiting {
  task: string;
  /** What would be published, unlike any other. */
  post: string;
}

function eventOf(errand: Errand, post: string) {
  switch (errand.kind) {
    case "signal":
      return alertEvent(post);
    case "asked":
      return alertEvent(post, { actor: `tradingview:${errand.by}` });
    case "trade":
      return alertEvent(post, { source: "desk", action: "TRADE" });
  }
}

/** Brings every errand to the point where people are asked, in one batch per step. */
export async function bringToGate(db: TestDatabase, errands: Errand[]): Promise<Waiting[]> {
  const waiting: Waiting[] = [];
  for (const errand of errands) {
    const post = `BTCUSDT long ${randomUUID()}`;
    const { task_id, refused } = await accept(db, eventOf(errand, post));
    if (refused) throw new Error(`the errand was not accepted: ${refused}`);
    waiting.push({ task: task_id as string, post });
  }
  const ours = new Map(waiting.map((one) => [one.task, one]));
  for (let round = 0; round < 20; round++) {
    const claimed = await claim(db, workers);
    const work = claimed.filter(({ task_id, node_id }) =>
      ours.has(task_id) && node_id !== "execute"
    );
    if (work.length === 0) break;
    for (const step of work.filter((one) => one.agent_class === "planner")) await plan(db, step);
    await completeAll(db, work.filter((one) => one.agent_class !== "planner"), ours);
  }
  return waiting;
}

// Backwards: codes then need not count in the direction of task ids, and the number of one is in the id of another.
async function completeAll(db: TestDatabase, work: StepWork[], ours: Map<string, Waiting>) {
  const results = work.toReversed().map((step) => {
    const result = resultOf(step) as Record<string, unknown>;
    const { post } = ours.get(step.task_id)!;
    return {
      ...lease(step),
      step_id: step.step_id,
      attempt: step.attempt,
      lease_token: step.lease_token,
      result: "post" in result ? { ...result, post } : result,
    };
  });
  const answers = await db.database.call<{ refused?: string }[]>("complete_steps", {
    p_results: results,
    p_policy_sha256: policySha256,
  });
  const refused = answers.find((answer) => answer.refused);
  if (refused) throw new Error(`a step was not completed: ${refused.refused}`);
}

interface RequestRow {
  code: string;
  nonce: string;
  task_id: string;
  status: Request["state"];
  required_slots: string[];
}

/** The requests of these tasks as they are, oldest first. */
export function requestsOf(db: TestDatabase, tasks: string[]): Promise<RequestRow[]> {
  return db.owner<RequestRow>(
    "select code, nonce, task_id, status, required_slots from public.approval_requests " +
      "where task_id = any ($1) order by requested_at, code",
    [tasks],
  );
}
