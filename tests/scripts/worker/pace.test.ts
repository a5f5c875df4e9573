import { expect, it } from "vitest";
import { pace } from "../../../scripts/worker/pace.ts";

it("waits twice as long from look to look while nothing happens, and never longer than told", () => {
  const { next } = pace({ soonestMs: 50, latestMs: 300 });
  expect([next(null), next(null), next(null), next(null), next(null)]).toEqual([
    50,
    100,
    200,
    300,
    300,
  ]);
});

it("starts anew when something happened", () => {
  const { next, quicken } = pace({ soonestMs: 50, latestMs: 5_000 });
  next(null);
  next(null);
  quicken();
  expect(next(null)).toBe(50);
});

it("meets what falls due earlier, each worker a little apart, and nothing that is later", () => {
  const { next } = pace({ soonestMs: 50, latestMs: 5_000, random: () => 0.5 });
  for (let i = 0; i < 10; i++) next(null);
  expect(next(1_000)).toBe(1_025);
  expect(next(9_000)).toBe(5_000);
});

it("does not spin on something that stays due", () => {
  const { next } = pace({ soonestMs: 50, latestMs: 5_000, random: () => 0 });
  for (let i = 0; i < 10; i++) expect(next(0)).toBeGreaterThanOrEqual(50);
});
