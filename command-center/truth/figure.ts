import { type Freshness, judge } from "./judge.ts";
import type { Reading, SourceName } from "./reading.ts";

declare const brand: unique symbol;

/** The only thing a page can show: a value that says where it comes from and how old it is. Made in this file alone. */
export interface Figure<V> {
  readonly [brand]: true;
  readonly value: V | null;
  readonly source: SourceName;
  /** The object it is about, by its id in the source. */
  readonly object: string | null;
  /** Where that object can be looked at. */
  readonly href: string | null;
  readonly observed_at: string | null;
  readonly max_age_s: number;
  readonly freshness: Freshness;
  readonly reason: string | null;
}

export interface About {
  id?: string | null;
  href?: string | null;
  /** Where one row of a reading has a time of its own (a heartbeat): it is judged by that, and never better than the reading. */
  at?: { now: Date; observed_at: unknown; max_age_s: number };
}

type Plain<V> = Omit<Figure<V>, typeof brand>;

// The one cast of this room: a brand exists for the type checker alone.
const branded = <V>(plain: Plain<V>): Figure<V> => plain as Figure<V>;

const order: readonly Freshness[] = ["live", "stale", "degraded", "unknown"];
export const worseOf = (one: Freshness, other: Freshness): Freshness =>
  order.indexOf(one) >= order.indexOf(other) ? one : other;

/** One value out of a reading. A pick that finds nothing is unknown, not zero. */
export function figureOf<T, V>(
  reading: Reading<T>,
  pick: (value: T) => V | null | undefined,
  { id = null, href = null, at }: About = {},
): Figure<V> {
  const { source, max_age_s } = reading;
  const about = { source, object: id, href };
  if (reading.status === "unknown") {
    const { observed_at, reason } = reading;
    return branded<V>({
      ...about,
      value: null,
      observed_at,
      max_age_s,
      freshness: "unknown",
      reason,
    });
  }
  const value = pick(reading.value) ?? null;
  if (value === null) {
    const { observed_at } = reading;
    const reason = "the source says nothing about this";
    return branded<V>({
      ...about,
      value,
      observed_at,
      max_age_s,
      freshness: "unknown",
      reason,
    });
  }
  if (at !== undefined) {
    const own = judge(at);
    return branded<V>({
      ...about,
      value,
      observed_at: own.observed_at,
      max_age_s: at.max_age_s,
      freshness: worseOf(own.freshness, reading.status),
      reason: own.reason ?? reading.reason,
    });
  }
  const { observed_at, status, reason } = reading;
  return branded<V>({
    ...about,
    value,
    observed_at,
    max_age_s,
    freshness: status,
    reason,
  });
}

/**
 * What follows from several figures: as old as the oldest, as trustworthy as the least, and it names them all.
 * Where some of them are unknown and others not, what follows is degraded: it is a part of the truth.
 */
export function derive<V>(
  from: readonly Figure<unknown>[],
  value: V | null,
  { id = null, href = null }: Omit<About, "at"> = {},
): Figure<V> {
  const known = from.filter(({ freshness }) => freshness !== "unknown");
  const worst = from.map(({ freshness }) => freshness).reduce(worseOf, "live");
  const told = known.length > 0 && value !== null;
  const reasons = from.flatMap(({ source, reason }) =>
    reason === null ? [] : [`${source}: ${reason}`]
  );
  const times = known.flatMap(({ observed_at }) => observed_at === null ? [] : [observed_at]);
  return branded<V>({
    value: told ? value : null,
    source: [...new Set(from.map(({ source }) => source))].join(", ") || "nothing",
    object: id,
    href,
    observed_at: times.sort()[0] ?? null,
    max_age_s: Math.min(...from.map(({ max_age_s }) => max_age_s), Number.MAX_SAFE_INTEGER),
    freshness: !told ? "unknown" : worst === "unknown" ? "degraded" : worst,
    reason: [...new Set(reasons)].join("; ") ||
      (told ? null : "no source says anything about this"),
  });
}
