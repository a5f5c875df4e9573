import type { Database } from "../../functions/_database/database.ts";
import { Sentence } from "../stack/sentence.ts";

const patienceMs = 20_000;

export async function until<T>(what: string, look: () => T | null | Promise<T | null>): Promise<T> {
  for (const end = Date.now() + patienceMs; Date.now() < end;) {
    const seen = await look();
    if (seen !== null) return seen;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Sentence(`Waited ${patienceMs / 1000} seconds for ${what}, and it did not come.`);
}

interface Progress {
  status: string;
  reason: string | null;
  steps: { node_id: string; status: string; agent: string }[];
}

/** Tells each of these steps as it ends. A task that ends otherwise is said at once. */
export async function watchSteps(
  database: Database,
  task_id: string,
  nodes: string[],
  ended: (node: string, agent: string) => void,
): Promise<void> {
  const seen = new Set<string>();
  await until(nodes.join(", "), async () => {
    const { status, reason, steps } = await database.call<Progress>("task_status", {
      p_id: task_id,
    });
    for (const step of steps) {
      if (seen.has(step.node_id) || !nodes.includes(step.node_id) || step.status !== "done") {
        continue;
      }
      seen.add(step.node_id);
      ended(step.node_id, step.agent);
    }
    if (["rejected", "failed", "paused"].includes(status)) {
      throw new Sentence(`The task is ${status}: ${reason ?? "unknown"}.`);
    }
    return seen.size === nodes.length ? true : null;
  });
}
