import type { LogSink } from "./log.ts";

/** On the platform, work that outlives the answer must be announced, or the worker may be stopped in the middle. */
declare const EdgeRuntime: { waitUntil(work: Promise<unknown>): void } | undefined;

export interface NudgeOptions {
  /** The project's address; without it the schedule alone plans. */
  url: string | null;
  serviceToken: string;
  fetch: typeof fetch;
  log: LogSink;
  /** Tells workers that listen to the database. */
  hint?: () => void;
}

/**
 * Asks the orchestrator for a tick after a new task. It only shortens the wait: what must happen is a row, and the
 * schedule finds it, so a nudge that fails is a log line.
 */
export function nudger(options: NudgeOptions): () => void {
  const { url, serviceToken, log, hint = () => undefined } = options;
  if (url === null) return hint;
  return () => {
    hint();
    const work = options.fetch(`${url}/functions/v1/orchestrator/tick`, {
      method: "POST",
      headers: { authorization: `Bearer ${serviceToken}` },
      redirect: "error",
      signal: AbortSignal.timeout(30_000),
    }).then(
      (response) => response.body?.cancel(),
      (error) => log(JSON.stringify({ outcome: "nudge_failed", error: String(error.name) })),
    );
    if (typeof EdgeRuntime !== "undefined") EdgeRuntime.waitUntil(work);
  };
}
