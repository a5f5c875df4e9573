import { describe, expect, it } from "vitest";
import { derive, Figure, figureOf } from "../../../command-center/truth/figure.ts";
import { judge, momentOf } from "../../../command-center/truth/judge.ts";
import { blind, seen } from "../../../command-center/truth/reading.ts";

const now = new Date("2026-11-21T12:00:00Z");
const before = (seconds: number) => new Date(now.getTime() - seconds * 1000).toISOString();
const said = (observed_at: unknown, max_age_s = 60) => judge({ now, observed_at, max_age_s });

describe("what a source says", () => {
  it("is never live without a time that can be read", () => {
    for (
      const time of [null, undefined, "", "yesterday", 0, 1763726400, {}, "2026-11-21 12:00:00"]
    ) {
      expect(said(time), String(time)).toMatchObject({ freshness: "unknown" });
    }
  });

  it("is live to the second of its age, and stale after it", () => {
    expect(said(before(60)).freshness).toBe("live");
    expect(said(before(60.001)).freshness).toBe("stale");
    expect(said(before(61), Number.NaN).freshness).toBe("stale");
  });

  it("is degraded while its clock is ahead, and a clock that is behind makes it stale", () => {
    expect(said(before(-5)).freshness).toBe("live");
    expect(said(before(-6))).toMatchObject({
      freshness: "degraded",
      reason: "the source's clock is ahead by 6 s",
    });
    expect(said(before(3600)).freshness).toBe("stale");
  });

  it("is degraded where it is not the whole", () => {
    const verdict = judge({ now, observed_at: before(1), max_age_s: 60, partial: "cut at 50" });
    expect(verdict).toMatchObject({ freshness: "degraded", reason: "cut at 50" });
  });

  it("takes a time with a zone and no other", () => {
    expect(momentOf("2026-11-21T13:00:00+01:00")?.toISOString()).toBe("2026-11-21T12:00:00.000Z");
    expect(momentOf("2026-11-21T12:00:00")).toBeNull();
    expect(momentOf("1970-01-01T00:00:00Z")).toBeNull();
  });
});

const reading = (value: number[] | null, observed_at = before(1)) =>
  value === null
    ? blind({ source: "gitea", max_age_s: 60, reason: "no token" })
    : seen({ source: "gitea", now, observed_at, max_age_s: 60, value });

describe("a figure", () => {
  it("is unknown exactly when it has no value", () => {
    const figures = [
      figureOf(reading([1]), ([one]) => one),
      figureOf(reading([]), ([one]) => one),
      figureOf(reading(null), () => 1),
      derive([], 3),
      derive([figureOf(reading(null), () => 1)], 3),
    ];
    for (const { value, freshness } of figures) {
      expect(value === null).toBe(freshness === "unknown");
    }
    expect(figures.map(({ freshness }) => freshness)).toEqual([
      "live",
      "unknown",
      "unknown",
      "unknown",
      "unknown",
    ]);
  });

  it("tells nothing from nobody: an empty list that is live is zero, a blind source is unknown", () => {
    expect(figureOf(reading([]), (list) => list.length)).toMatchObject({
      value: 0,
      freshness: "live",
    });
    expect(figureOf(reading(null), (list: number[]) => list.length)).toMatchObject({
      value: null,
      freshness: "unknown",
      reason: "no token",
    });
  });

  it("with a time of its own is judged by that, and never better than its reading", () => {
    const at = (observed_at: string) => ({ at: { now, observed_at, max_age_s: 60 } });
    expect(figureOf(reading([1]), () => 1, at(before(300))).freshness).toBe("stale");
    expect(figureOf(reading([1], before(300)), () => 1, at(before(1))).freshness).toBe("stale");
  });

  it("that follows from several is as old as the oldest and as good as the worst", () => {
    const figures = [
      figureOf(reading([1], before(10)), () => 1),
      figureOf(reading([1], before(50)), () => 1),
    ];
    expect(derive(figures, 2)).toMatchObject({ freshness: "live", observed_at: before(50) });
    const blinded = derive([...figures, figureOf(reading(null), () => 1)], 2);
    expect(blinded).toMatchObject({ freshness: "degraded", reason: "gitea: no token" });
  });

  it("cannot be copied or made up", () => {
    const figure = figureOf(reading([1]), () => 1);
    expect(Figure.isFigure(figure)).toBe(true);
    expect(Figure.isFigure({ ...figure, value: 2 })).toBe(false);
  });
});
