import { Unanswered } from "./unanswered.ts";

export interface HttpLimits {
  timeout_ms: number;
  max_bytes: number;
}

export interface HttpAnswer {
  status: number;
  headers: Headers;
  /** Empty where there is no body. */
  text: string;
  /** The answer's own time: its Date header, as ISO; null where it has none. */
  said_at: string | null;
  /** Why that time is not to be built on, where it is not the time at which it arrived. */
  skew: string | null;
  latency_ms: number;
}

export type Fetch = typeof globalThis.fetch;

/** One GET: no redirect, no cache, no cookie, a bound on time and size. Throws where there is no answer to read. */
export async function get(
  fetch: Fetch,
  url: string,
  headers: Record<string, string>,
  { timeout_ms, max_bytes }: HttpLimits,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const started = performance.now();
  const late = AbortSignal.timeout(timeout_ms);
  try {
    return await call(fetch, url, headers, max_bytes, started, AbortSignal.any([signal, late]));
  } catch (error) {
    if (late.aborted && !signal.aborted) throw new Unanswered(`no answer within ${timeout_ms} ms`);
    throw error;
  }
}

async function call(
  fetch: Fetch,
  url: string,
  headers: Record<string, string>,
  max_bytes: number,
  started: number,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const response = await fetch(url, {
    method: "GET",
    headers: { ...headers, "cache-control": "no-cache" },
    redirect: "manual",
    credentials: "omit",
    signal,
  });
  const { status } = response;
  const said_at = saidAt(response.headers.get("date"));
  const skew = said_at === null ? null : skewOf(said_at, new Date());
  if (response.type === "opaqueredirect" || (status >= 300 && status < 400 && status !== 304)) {
    await response.body?.cancel();
    throw new Unanswered("it answered with a redirect, and none is followed");
  }
  const text = await bounded(response, max_bytes);
  return {
    status,
    headers: response.headers,
    text,
    said_at,
    skew,
    latency_ms: Math.round(performance.now() - started),
  };
}

async function bounded(response: Response, max_bytes: number): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > max_bytes) {
      await reader.cancel();
      throw new Unanswered(`its answer is larger than ${max_bytes} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** HTTP writes `Sun, 06 Nov 1994 08:49:37 GMT`; everything else is no time. */
export function saidAt(header: string | null): string | null {
  if (header === null || !/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(header)) {
    return null;
  }
  const at = new Date(header);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** Seconds to leave it alone, as it asked; at most an hour. */
export function retryAfter(headers: Headers, now: Date): number | null {
  const value = headers.get("retry-after") ?? headers.get("x-ratelimit-reset");
  if (value === null) return null;
  const at = saidAt(value);
  const number = /^\d{1,11}$/.test(value) ? Number(value) : NaN;
  const seconds = at !== null
    ? (Date.parse(at) - now.getTime()) / 1000
    : number > 1e9
    ? number - now.getTime() / 1000
    : number;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), 3600) : null;
}

/** A difference between clocks, or a copy out of a cache: either way the answer's time is not to be built on. */
export const told_skew_s = 30;

/** A sentence where a direct answer carries a time that is not now. */
export function skewOf(said_at: string, received: Date): string | null {
  const behind_s = (received.getTime() - Date.parse(said_at)) / 1000;
  if (Math.abs(behind_s) <= told_skew_s) return null;
  const far = `${Math.round(Math.abs(behind_s))} s`;
  return behind_s > 0
    ? `it answers with a time ${far} behind: a copy from a cache, or a slow clock`
    : `it answers with a time ${far} ahead`;
}
