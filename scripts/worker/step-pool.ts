import { holdLease, type Lease, returnSteps } from "../../functions/_database/leases.ts";
import { isTrouble } from "../../functions/_database/trouble.ts";
import type { StepWork } from "../../functions/_domain/task.ts";
import { complete, completeAndClaim } from "../../functions/orchestrator/completion.ts";
import {
  dispatch,
  type DispatchDeps,
  type Dispatched,
} from "../../functions/orchestrator/dispatch.ts";
import type { OrchestratorDeps } from "../../functions/orchestrator/handler.ts";
import { batches } from "./batches.ts";

export interface StepPool {
  /** Claims as much as there are hands free, and does not wait for what it started. Returns how many it claimed. */
  pass(): Promise<number>;
  running(): number;
  /** Claims nothing more; ends when everything that runs has ended, or gives back what has not after `withinMs`. */
  drain(withinMs: number): Promise<{ ended: number; returned: number }>;
}

type Works =
  & Omit<DispatchDeps, "policy" | "policy_sha256">
  & Pick<OrchestratorDeps, "policy" | "worker" | "bundle">;

export interface StepPoolOptions {
  works: Works;
  concurrency: number;
  /** There are hands with nothing to do. */
  onFree: () => void;
  /** There was more than this pool could take: another worker may. */
  onMore: () => void;
  tell: (error: unknown, work: StepWork) => void;
}

type Finished = NonNullable<Dispatched>;

/**
 * Up to `concurrency` steps at once, each as the orchestrator's tick does it. Results are handed in together, and the next
 * steps come with the same call, so that a busy worker asks once for each batch.
 */
export function stepPool(options: StepPoolOptions): StepPool {
  const { works, concurrency, onFree, onMore, tell } = options;
  const { database, policy } = works;
  const running = new Map<string, { lease: Lease; ended: Promise<void> }>();
  let draining = false;

  const deps = policy.ok ? { ...works, policy: policy.policy, policy_sha256: policy.sha256 } : null;
  // Those that are handed in are replaced by the same call, as long as there is something to replace them.
  const handIn = batches<Finished>(async (finished) => {
    if (deps === null) return;
    if (draining || await works.bundle() !== null) return void await complete(deps, finished);
    const { claimed } = await completeAndClaim(deps, finished, finished.length);
    if (await take(claimed) && claimed.length === finished.length) onMore();
  });

  /** A claim that was under way when the drain began is given straight back. */
  async function take(claimed: StepWork[]): Promise<boolean> {
    if (draining) {
      await returnSteps(database, claimed, "its worker is ending");
      return false;
    }
    for (const work of claimed) {
      running.set(work.step_id, { lease: work, ended: run(work) });
    }
    return true;
  }

  /** What the database could not take is the step's failure, and counted; a database that was away is nobody's. */
  async function giveUp(work: StepWork, error: unknown): Promise<void> {
    if (isTrouble(error)) {
      await returnSteps(database, [work], "the database was away");
      return;
    }
    await database.call("fail_step", {
      p_step_id: work.step_id,
      p_attempt: work.attempt,
      p_lease_token: work.lease_token,
      p_code: "internal",
      p_error: "its worker could not hand in the result",
    });
  }

  async function run(work: StepWork): Promise<void> {
    if (deps === null) return;
    const release = holdLease(database, work);
    try {
      const finished = await dispatch(deps, work);
      if (finished !== null) await handIn(finished);
    } catch (error) {
      tell(error, work);
      await giveUp(work, error).catch((second) => tell(second, work));
    } finally {
      release();
      running.delete(work.step_id);
      if (running.size < concurrency) onFree();
    }
  }

  return {
    running: () => running.size,
    async pass() {
      const free = concurrency - running.size;
      if (draining || deps === null || free <= 0 || await works.bundle() !== null) return 0;
      const claimed = await database.call<StepWork[]>("claim_steps", {
        p_worker: works.worker,
        p_limit: Math.min(free, 100),
        p_agents: null,
      });
      if (!await take(claimed)) return 0;
      if (claimed.length === free) onMore();
      return claimed.length;
    },
    async drain(withinMs) {
      draining = true;
      const before = running.size;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => timer = setTimeout(resolve, withinMs));
      await Promise.race([Promise.all([...running.values()].map(({ ended }) => ended)), late]);
      clearTimeout(timer);
      const left = [...running.values()].map(({ lease }) => lease);
      const returned = await returnSteps(database, left, "its worker is ending");
      return { ended: before - left.length, returned };
    },
  };
}
