import { answerOf, type CallOutcome, completionOf, isFenced, repeatable } from "./call-outcome.ts";
import type { Database } from "./database.ts";
import { DatabaseUnavailable, wasTakenBack } from "./trouble.ts";

export interface Steadiness {
  /** How long a call is repeated while the database is away. */
  patienceMs: (name: string) => number;
  /** How long an answer may take before the call counts as unseen: a network that swallows says nothing. */
  answerMs: number;
  random: () => number;
  now: () => number;
  wait: (milliseconds: number) => Promise<void>;
}

/** What was done outside must be written down; whoever stands at the door hangs up after three seconds. */
const patience: Record<string, number> = {
  accept_event: 1_500,
  accept_payment: 1_500,
  accept_broker_report: 1_500,
  confirm_effect: 15_000,
  complete_steps: 15_000,
  complete_and_claim_steps: 15_000,
};

/** Whoever sends hangs up after three seconds, and finds by its key later what was stored all the same. */
const hurried: Record<string, number> = {
  accept_event: 2_500,
  accept_payment: 2_500,
  accept_broker_report: 2_500,
};

const shipped: Steadiness = {
  patienceMs: (name) => patience[name] ?? 5_000,
  answerMs: 30_000,
  random: Math.random,
  now: () => performance.now(),
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/** Taken back five times in a row is no chance meeting. */
const mostTries = 5;
const longestPauseMs = 1_000;

interface Refused {
  refused?: string;
}

/**
 * A database behind a network, made steady. What Postgres took back (deadlock, serialization, a cancelled statement) and
 * what never reached it is tried again, with full jitter and a bound. Where the connection went away after the call had
 * left, its outcome is looked up by the lease that fences it: it is neither assumed nor done twice. A call that has
 * neither lease nor key is left to its caller.
 */
export function steadyDatabase(inner: Database, options: Partial<Steadiness> = {}): Database {
  const steadiness = { ...shipped, ...options };
  const { patienceMs, answerMs, random, now, wait } = steadiness;
  let closed = false;

  const pause = (tries: number) => wait(random() * Math.min(longestPauseMs, 20 * 2 ** tries));

  async function once<T>(name: string, args?: Record<string, unknown>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new DatabaseUnavailable("unseen", "The database did not answer in time.")),
        Math.min(answerMs, hurried[name] ?? answerMs),
      );
    });
    try {
      return await Promise.race([inner.call<T>(name, args), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Repeats what certainly was not done. Anything else is thrown. */
  async function certain<T>(
    name: string,
    args: Record<string, unknown> | undefined,
    until: number,
    mayRepeat: boolean,
  ): Promise<T> {
    for (let tries = 1;; tries++) {
      try {
        return await once<T>(name, args);
      } catch (error) {
        const again = wasTakenBack(error)
          ? tries < mostTries
          : error instanceof DatabaseUnavailable && (mayRepeat || error.certainty === "not_done");
        if (!again || closed || now() >= until) throw error;
        await pause(tries);
      }
    }
  }

  const lookUp = (fence: Record<string, unknown>, until: number) =>
    certain<CallOutcome>("call_outcome", fence, until, true);

  /** A fenced call whose answer may be lost. Null from `read`: it was not done, and is made again. */
  async function fenced<T>(
    name: string,
    args: Record<string, unknown>,
    until: number,
    read: () => Promise<unknown>,
    lost = false,
  ): Promise<T> {
    for (;;) {
      try {
        const answer = await certain<T>(name, args, until, false);
        // The lost call may have been committed between the look and the repeat.
        if (!lost || !wasRefused(answer)) return answer;
        return (await read() ?? answer) as T;
      } catch (error) {
        if (!(error instanceof DatabaseUnavailable) || closed || now() >= until) throw error;
        lost = true;
        await pause(1);
        const known = await read();
        if (known !== null) return known as T;
      }
    }
  }

  function single<T>(name: string, args: Record<string, unknown>, until: number): Promise<T> {
    const { p_attempt, p_lease_token, p_step_id, p_effect_id } = args;
    const fence = { p_attempt, p_lease_token, p_step_id, p_effect_id };
    return fenced(
      name,
      args,
      until,
      async () => answerOf(name, await lookUp(fence, until), args),
    );
  }

  /** A batch is committed as a whole: what is not done of it is handed in again, item by item refused or done. */
  async function batch(
    args: Record<string, unknown>,
    until: number,
    lost = false,
  ): Promise<unknown> {
    const results = Array.isArray(args.p_results) ? args.p_results : [];
    const known = new Map<unknown, unknown>();
    return await fenced("complete_steps", args, until, async () => {
      for (const result of results) {
        const { step_id, attempt, lease_token } = Object(result);
        const fence = { p_attempt: attempt, p_lease_token: lease_token, p_step_id: step_id };
        const answer = completionOf(await lookUp(fence, until));
        if (answer !== null) known.set(result, answer);
      }
      if (known.size === 0) return null;
      const open = results.filter((result) => !known.has(result));
      if (open.length === 0) return [...known.values()];
      const rest = await batch({ ...args, p_results: open }, until);
      return [...known.values(), ...(Array.isArray(rest) ? rest : [])];
    }, lost);
  }

  /** Where the answer is lost the results are looked up; steps that it claimed come back with their leases. */
  async function combined(args: Record<string, unknown>, until: number): Promise<unknown> {
    try {
      return await certain("complete_and_claim_steps", args, until, false);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable) || closed || now() >= until) throw error;
      const { p_results, p_policy_sha256 } = args;
      return { answers: await batch({ p_results, p_policy_sha256 }, until, true), claimed: [] };
    }
  }

  return {
    async call<T>(name: string, args?: Record<string, unknown>): Promise<T> {
      const until = now() + patienceMs(name);
      if (args !== undefined && name === "complete_steps") return await batch(args, until) as T;
      if (args !== undefined && name === "complete_and_claim_steps") {
        return await combined(args, until) as T;
      }
      if (args !== undefined && isFenced(name)) return await single<T>(name, args, until);
      return await certain<T>(name, args, until, repeatable.has(name));
    },
    close() {
      closed = true;
      return inner.close();
    },
  };
}

const wasRefused = (answer: unknown): boolean =>
  [answer].flat().some((item) => (Object(item) as Refused).refused === "stale_lease");
