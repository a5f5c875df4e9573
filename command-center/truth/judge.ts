export const freshnesses = ["live", "stale", "degraded", "unknown"] as const;
export type Freshness = typeof freshnesses[number];

/** A clock may be ahead by this much before its times say nothing about age. */
export const skew_s = 5;

export type Verdict =
  | { freshness: "unknown"; observed_at: null; reason: string }
  | {
    freshness: "live" | "stale" | "degraded";
    observed_at: string;
    reason: string | null;
  };

export interface Testimony {
  now: Date;
  /** What the source gave as its time: nothing else is trusted for age. */
  observed_at: unknown;
  max_age_s: number;
  partial?: string | null;
}

/**
 * How far a source's word can be trusted now. A pure function, and the only one that says `live`.
 * Too old is stale; a time in the future is degraded, since a frozen source with a fast clock would look fresh for as long as it is ahead.
 */
export function judge({ now, observed_at, max_age_s, partial = null }: Testimony): Verdict {
  if (observed_at === null || observed_at === undefined) {
    return { freshness: "unknown", observed_at: null, reason: "the source gave no time" };
  }
  const at = momentOf(observed_at);
  if (at === null) {
    return { freshness: "unknown", observed_at: null, reason: "the source gave no readable time" };
  }
  const age_s = (now.getTime() - at.getTime()) / 1000;
  const iso = at.toISOString();
  if (age_s < -skew_s) {
    return {
      freshness: "degraded",
      observed_at: iso,
      reason: `the source's clock is ahead by ${spoken(-age_s)}`,
    };
  }
  if (!(age_s <= max_age_s)) {
    return {
      freshness: "stale",
      observed_at: iso,
      reason: `last heard of ${spoken(age_s)} ago, expected within ${spoken(max_age_s)}`,
    };
  }
  if (partial !== null) return { freshness: "degraded", observed_at: iso, reason: partial };
  return { freshness: "live", observed_at: iso, reason: null };
}

/** ISO with a zone, or a Date. A time without a zone is no time: it would be read in the zone of whoever asks. */
export function momentOf(value: unknown): Date | null {
  const date = value instanceof Date ? value : typeof value === "string" &&
      /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$/.test(value)
    ? new Date(value)
    : null;
  if (date === null || Number.isNaN(date.getTime())) return null;
  return date.getTime() > 0 ? date : null;
}

/** 45 s, 12 min, 3 h, 5 d: one unit is enough to judge by. */
export function spoken(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 90) return `${whole} s`;
  if (whole < 90 * 60) return `${Math.round(whole / 60)} min`;
  if (whole < 48 * 3600) return `${Math.round(whole / 3600)} h`;
  return `${Math.round(whole / 86400)} d`;
}
