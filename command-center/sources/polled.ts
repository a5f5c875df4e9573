import { blind, type Reader, type Reading, seen, type SourceName } from "../truth/reading.ts";
import { reasonOf, Unanswered } from "./unanswered.ts";

export interface Polling {
  source: SourceName;
  /** It is asked at most this often; zero asks at every look. */
  every_s: number;
  max_age_s: number;
  /** One round of questions may take this long. */
  timeout_ms: number;
  /** A page waits this long for it, and shows what was last heard, with its age, beyond that. */
  wait_ms: number;
  /** How long what was last heard is still shown, with its age, while nothing new is heard; zero never shows it. */
  keep_s: number;
}

export interface Observation<T> {
  observed_at: string | null;
  value: T;
  partial: string | null;
}

interface Failure {
  reason: string;
  again_at: number;
}

/**
 * A source that is asked over a wire. Several pages that look at once share one round of questions; what was heard keeps
 * the time at which the source said it, however often it is shown. A round that failed makes the earlier word degraded at best.
 */
export function polled<T>(
  polling: Polling,
  observe: (now: Date, signal: AbortSignal) => Promise<Observation<T>>,
): Reader<T> {
  const { source, every_s, max_age_s, timeout_ms, wait_ms, keep_s } = polling;
  let heard: Observation<T> | null = null;
  let failure: Failure | null = null;
  let asked_at = -Infinity;
  let again_at = -Infinity;
  let round: Promise<void> | null = null;

  async function ask(now: Date): Promise<void> {
    asked_at = now.getTime();
    try {
      heard = await within(timeout_ms, (signal) => observe(now, signal));
      failure = null;
    } catch (error) {
      const retry_s = error instanceof Unanswered ? error.retry_after_s : null;
      failure = { reason: reasonOf(error), again_at: now.getTime() + (retry_s ?? 0) * 1000 };
    }
    again_at = Math.max(now.getTime() + every_s * 1000, failure?.again_at ?? -Infinity);
  }

  function told(now: Date, late: boolean): Reading<T> {
    const age_s = heard?.observed_at ? (now.getTime() - Date.parse(heard.observed_at)) / 1000 : 0;
    const fresh = !late && failure === null;
    if (heard !== null && (fresh || age_s <= keep_s && keep_s > 0)) {
      return seen({
        source,
        now,
        max_age_s,
        observed_at: heard.observed_at,
        value: heard.value,
        partial: failure === null ? heard.partial : `the last look failed: ${failure.reason}`,
      });
    }
    const reason = late ? `no answer within ${wait_ms} ms` : failure?.reason ?? "it was never read";
    return blind({ source, max_age_s, reason, observed_at: heard?.observed_at ?? null });
  }

  return {
    source,
    async read(now, signal) {
      const at = now.getTime();
      // A clock that was set back must not silence a source until it has caught up.
      if (round === null && (at >= again_at || at < asked_at)) {
        round = ask(now).finally(() => {
          round = null;
        });
      }
      const late = round !== null && !await settled(round, wait_ms, signal);
      return told(now, late);
    },
  };
}

/** An abort of its own for every round: a page that goes away does not take the answer from the others. */
export async function within<T>(
  timeout_ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Unanswered(`no answer within ${timeout_ms} ms`);
      reject(error);
      abort.abort(error);
    }, timeout_ms);
  });
  try {
    return await Promise.race([work(abort.signal), late]);
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

async function settled(
  round: Promise<void>,
  wait_ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let leave: () => void = () => {};
  const gaveUp = new Promise<false>((resolve) => {
    leave = () => resolve(false);
    timer = setTimeout(leave, wait_ms);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
  });
  try {
    return await Promise.race([round.then(() => true), gaveUp]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
  }
}
