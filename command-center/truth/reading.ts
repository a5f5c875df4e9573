import { type Freshness, judge } from "./judge.ts";

export type { Freshness } from "./judge.ts";

/** Where a figure comes from: the registry's name, e.g. "postgres", "gitea", "hermes", "huey", "endpoint:ollama". */
export type SourceName = string;

interface Origin {
  readonly source: SourceName;
  /** How old the source's own word may be before it is stale: twice the interval at which it is expected. */
  readonly max_age_s: number;
}

/** Nothing can be said, and why. */
export interface Blind extends Origin {
  readonly status: "unknown";
  /** When the source last said something that could be understood, if ever. */
  readonly observed_at: string | null;
  readonly reason: string;
  readonly value: null;
}

/** Something was said, at a time that the source itself gave. */
export interface Seen<T> extends Origin {
  readonly status: Exclude<Freshness, "unknown">;
  /** When the SOURCE said it (ISO, UTC), not when it was asked. */
  readonly observed_at: string;
  /** Null exactly when the reading is live. */
  readonly reason: string | null;
  readonly value: T;
}

/** What a reader hands back. `value` is null exactly when the status is unknown; an empty list that is live is no blindness. */
export type Reading<T> = Seen<T> | Blind;

/** Never throws and never waits past its signal: what went wrong is the reason of an unknown reading. */
export interface Reader<T> {
  readonly source: SourceName;
  read(now: Date, signal: AbortSignal): Promise<Reading<T>>;
}

export function blind(
  { source, max_age_s, reason, observed_at = null }: Origin & {
    reason: string;
    observed_at?: string | null;
  },
): Blind {
  return { source, status: "unknown", observed_at, max_age_s, reason, value: null };
}

/** The one way to say that something was seen: the judge says how fresh it is, not the reader. */
export function seen<T>(
  { source, now, observed_at, max_age_s, value, partial = null }: Origin & {
    now: Date;
    /** As the source wrote it; whatever is no time makes the reading blind. */
    observed_at: unknown;
    value: T;
    /** What is missing from the value, where it is not the whole truth. */
    partial?: string | null;
  },
): Reading<T> {
  const verdict = judge({ now, observed_at, max_age_s, partial });
  if (verdict.freshness === "unknown") {
    return blind({ source, max_age_s, reason: verdict.reason });
  }
  const { freshness: status, observed_at: at, reason } = verdict;
  return { source, status, observed_at: at, max_age_s, reason, value };
}
