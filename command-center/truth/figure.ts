import { type Freshness, judge } from "./judge.ts";
import type { Reading, SourceName } from "./reading.ts";

interface Plain<V> {
  value: V | null;
  source: SourceName;
  /** The object it is about, by its id in the source. */
  object: string | null;
  /** Where that object can be looked at. */
  href: string | null;
  observed_at: string | null;
  max_age_s: number;
  freshness: Freshness;
  reason: string | null;
}

export interface About {
  id?: string | null;
  href?: string | null;
  /** Where one row of a reading has a time of its own (a heartbeat): it is judged by that, and never better than the reading. */
  at?: { now: Date; observed_at: unknown; max_age_s: number };
  /** Why there is no value, where there is none. */
  because?: string | null;
}

const order: readonly Freshness[] = ["live", "stale", "degraded", "unknown"];
export const worseOf = (one: Freshness, other: Freshness): Freshness =>
  order.indexOf(one) >= order.indexOf(other) ? one : other;

/**
 * The only thing a page can show: a value that says where it comes from and how old it is. A class with a private name and a
 * private constructor: no literal, and no copy with another value in it, passes for one.
 */
export class Figure<V> implements Readonly<Plain<V>> {
  readonly #made = true;
  readonly value: V | null;
  readonly source: SourceName;
  readonly object: string | null;
  readonly href: string | null;
  readonly observed_at: string | null;
  readonly max_age_s: number;
  /** Unknown exactly when there is no value. */
  readonly freshness: Freshness;
  readonly reason: string | null;

  private constructor(plain: Plain<V>) {
    const told = plain.freshness !== "unknown" && plain.value !== null;
    this.value = told ? plain.value : null;
    this.freshness = told ? plain.freshness : "unknown";
    this.source = plain.source;
    this.object = plain.object;
    this.href = plain.href;
    this.observed_at = plain.observed_at;
    this.max_age_s = plain.max_age_s;
    this.reason = plain.reason;
  }

  static isFigure(value: unknown): value is Figure<unknown> {
    return typeof value === "object" && value !== null && #made in value;
  }

  /** One value out of a reading. A pick that finds nothing is unknown, not zero. */
  static of<T, V>(
    reading: Reading<T>,
    pick: (value: T) => V | null | undefined,
    { id = null, href = null, at, because }: About = {},
  ): Figure<V> {
    const { source, max_age_s, observed_at, reason, status: freshness } = reading;
    const plain = { source, object: id, href, observed_at, max_age_s, freshness, reason };
    if (reading.status === "unknown") return new Figure<V>({ ...plain, value: null });
    const value = pick(reading.value) ?? null;
    if (value === null) {
      const why = because ?? "the source says nothing about this";
      return new Figure<V>({ ...plain, value, reason: why });
    }
    if (at === undefined) return new Figure({ ...plain, value });
    const own = judge(at);
    return new Figure({
      ...plain,
      value,
      observed_at: own.observed_at,
      max_age_s: at.max_age_s,
      freshness: worseOf(own.freshness, freshness),
      reason: own.reason ?? reason,
    });
  }

  /**
   * What follows from several figures: as old as the oldest, as trustworthy as the least, and it names them all.
   * Where some of them are unknown and others not, what follows is degraded: it is a part of the truth.
   */
  static from<V>(
    figures: readonly Figure<unknown>[],
    value: V | null,
    { id = null, href = null }: Pick<About, "id" | "href"> = {},
  ): Figure<V> {
    const known = figures.filter(({ freshness }) => freshness !== "unknown");
    const worst = figures.map(({ freshness }) => freshness).reduce(worseOf, "live");
    const told = known.length > 0 && value !== null;
    const reasons = figures.flatMap(({ source, reason }) =>
      reason === null ? [] : [`${source}: ${reason}`]
    );
    const times = known.flatMap(({ observed_at }) => observed_at === null ? [] : [observed_at]);
    return new Figure<V>({
      value: told ? value : null,
      source: [...new Set(figures.map(({ source }) => source))].join(", ") || "nothing",
      object: id,
      href,
      observed_at: times.sort()[0] ?? null,
      max_age_s: Math.min(...figures.map(({ max_age_s }) => max_age_s), Number.MAX_SAFE_INTEGER),
      freshness: !told ? "unknown" : worst === "unknown" ? "degraded" : worst,
      reason: [...new Set(reasons)].join("; ") ||
        (told ? null : "no source says anything about this"),
    });
  }

  /** The same figure as one about another object, or the time at which it was observed. */
  at(href: string): Figure<V> {
    return new Figure({ ...this, href });
  }

  observed(): Figure<string> {
    return new Figure({ ...this, value: this.observed_at });
  }
}

export const figureOf = Figure.of;
export const derive = Figure.from;
