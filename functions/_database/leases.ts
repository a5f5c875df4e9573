import type { Database } from "./database.ts";
import { isTrouble } from "./trouble.ts";

/** What fences every write of a step: whoever holds all three may end it. */
export interface Lease {
  step_id: string;
  attempt: number;
  lease_token: string;
}

export interface Holding {
  everyMs: number;
  /** A step that hangs must not keep its lease for ever: after this long it lapses, and counts as lost. */
  longestMs: number;
}

const shipped: Holding = { everyMs: 10_000, longestMs: 600_000 };

const fence = ({ step_id, attempt, lease_token }: Lease) => ({
  p_step_id: step_id,
  p_attempt: attempt,
  p_lease_token: lease_token,
});

/**
 * Extends a lease of 30 seconds every 10 until the returned function is called. A lease that was lost is not won back:
 * whoever has the step now ends it, and what this holder hands in is refused.
 */
export function holdLease(
  database: Database,
  lease: Lease,
  { everyMs, longestMs }: Holding = shipped,
): () => void {
  let left = Math.floor(longestMs / everyMs);
  const release = () => clearInterval(timer);
  const extend = async () => {
    if (left-- <= 0) return release();
    try {
      const answer = await database.call<{ refused?: string }>("extend_lease", fence(lease));
      if (answer.refused !== undefined) release();
    } catch (error) {
      // The next beat may get through; a lease that nobody could extend lapses, which is its purpose.
      if (!isTrouble(error)) release();
    }
  };
  const timer = setInterval(extend, everyMs);
  return release;
}

/** Gives steps back unfinished, as nobody's failure. What cannot be given back lapses. Returns how many went back. */
export async function returnSteps(
  database: Database,
  leases: readonly Lease[],
  reason: string,
): Promise<number> {
  if (leases.length === 0) return 0;
  const p_leases = leases.map(({ step_id, attempt, lease_token }) => ({
    step_id,
    attempt,
    lease_token,
  }));
  try {
    const answers = await database.call<{ status?: string }[]>("return_steps", {
      p_leases,
      p_reason: reason,
    });
    return answers.filter(({ status }) => status === "ready").length;
  } catch (error) {
    if (!isTrouble(error)) throw error;
    return 0;
  }
}
