import type { Database } from "../_database/database.ts";
import type { Dispatched } from "./dispatch.ts";

export interface CompletionDeps {
  database: Database;
  policy_sha256: string;
}

/**
 * Hands in the results of dispatched steps, as one batch. What the database refuses is recorded with its step; a lost
 * lease leaves nothing to record. Returns how many were done.
 */
export async function complete(
  { database, policy_sha256 }: CompletionDeps,
  finished: readonly NonNullable<Dispatched>[],
): Promise<number> {
  const answers = await database.call<{ step_id: string; refused?: string }[]>("complete_steps", {
    p_results: finished.map(({ work, result }) => ({
      step_id: work.step_id,
      attempt: work.attempt,
      lease_token: work.lease_token,
      result,
    })),
    p_policy_sha256: policy_sha256,
  });
  for (const { step_id, refused } of answers) {
    if (!refused || refused === "stale_lease") continue;
    const item = finished.find(({ work }) => work.step_id === step_id);
    if (!item) continue;
    await database.call("fail_step", {
      p_step_id: item.work.step_id,
      p_attempt: item.work.attempt,
      p_lease_token: item.work.lease_token,
      p_code: refused,
      p_error: "the database refused the result",
    });
  }
  return answers.filter(({ refused }) => !refused).length;
}
