import { describe, expect, it } from "vitest";
import {
  latencies,
  median,
  percentile,
  ratio,
  ratioOfRounds,
} from "../../../scripts/bench/report/statistics.mjs";

const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);

describe("the figures of the bench", () => {
  it("make up nothing where nothing was measured", () => {
    expect(percentile([], 0.5)).toBeNull();
    expect(median([])).toBeNull();
    expect(ratio(10, null)).toBeNull();
    expect(ratio(undefined, 10)).toBeNull();
    expect(ratio(10, 0)).toBeNull();
    expect(ratioOfRounds([], [])).toBeNull();
    expect(latencies([])).toEqual({ samples: 0, p50_ms: null, p99_ms: null, max_ms: null });
  });

  it("refuse to compare rounds that only one side ran", () => {
    expect(() => ratioOfRounds([1, 2], [1])).toThrow("both sides of every round");
  });

  it("are null when a round of one side has no rate", () => {
    expect(ratioOfRounds([10, NaN], [5, 5])).toBeNull();
  });

  it("take a percentile by nearest rank", () => {
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile([7], 0.99)).toBe(7);
  });

  it("take the middle of an even number of rounds between the two", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it("compare within a round: a machine that was slow for both changes nothing", () => {
    expect(ratioOfRounds([100, 10, 100], [50, 5, 50])).toBe(2);
  });
});
