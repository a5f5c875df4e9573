import type { Database } from "../_database/database.ts";
import type { StepWork } from "../_domain/task.ts";
import type { Dispatched } from "./dispatch.ts";

export interface CompletionDeps {
  database: Database;
  policy_sha256: string;
}

type Finished = NonNullable<Dispatched>;
type Answers = { step_id: string; refused?: string }[];

const resultsOf = (finished: readonly Finished[]) =>
  finished.map(({ work, result }) => ({
    step_id: work.step_id,
    attempt: work.attempt,
    lease_token: work.lease_token,
    result,
  }));

/**
 * Hands in the results of dispatched steps, as one batch. What the database refuses is recorded with its step; a lost
 * lease leaves nothing to record. Returns how many were done.
 */
export async function complete(
  { database, policy_sha256 }: CompletionDeps,
  finished: readonly Finished[],
): Promise<number> {
  const answers = await database.call<Answers>("complete_steps", {
    p_results: resultsOf(finished),
    p_policy_sha256: policy_sha256,
  });
  return await recordRefusals(database, finished, answers);
}

/** The same, and the next steps with the same call: one round trip for a batch. */
export async function completeAndClaim(
  { database, policy_sha256, worker }: CompletionDeps & { worker: string },
  finished: readonly Finished[],
  limit: number,
): Promise<{ completed: number; claimed: StepWork[] }> {
  const { answers, claimed } = await database.call<{ answers: Answers; claimed: StepWork[] }>(
    "complete_and_claim_steps",
    {
      p_results: resultsOf(finished),
      p_policy_sha256: policy_sha256,
      p_worker: worker,
      p_limit: limit,
      p_agents: null,
    },
  );
  return { completed: await recordRefusals(database, finished, answers), claimed };
}

async function recordRefusals(
  database: Database,
  finished: readonly Finished[],
  answers: Answers,
): Promise<number> {
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
