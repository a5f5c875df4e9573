import { describe, expect, it } from "vitest";
import { contest, orderOf, ratesOf } from "../../../scripts/bench/figures/contest.mjs";
import { perStep } from "../../../scripts/bench/figures/steps.mjs";

const bench = (rounds: number, ending: string | null = null) => ({
  options: { rounds },
  step: () => {},
  ending: () => ending,
});
const rate = (per_s: number) => ({ measure: () => Promise.resolve({ per_s }) });
const broken = (message: string) => ({ measure: () => Promise.reject(new Error(message)) });

describe("a contest", () => {
  it("skips a rival that fails, with its reason and without a rate", async () => {
    const results = await contest(bench(2), {
      ags: { ...rate(10), required: true },
      rival: broken("offline\nand more"),
    });
    expect(results.rival).toEqual({ rounds: [], skipped: "offline" });
    expect(results.ags).toMatchObject({ per_s: 10 });
  });

  it("ends when ours fails", async () => {
    await expect(contest(bench(1), { ags: { ...broken("refused"), required: true } })).rejects
      .toThrow("refused");
  });

  it("ends when the run does, and blames no rival for it", async () => {
    await expect(contest(bench(1, "interrupted"), { rival: broken("killed") })).rejects.toThrow(
      "killed",
    );
  });

  it("lets every contestant begin a round in turn", () => {
    expect([0, 1, 2].map((round) => orderOf(["a", "b", "c"], round)[0])).toEqual(["a", "b", "c"]);
    expect(orderOf(["a", "b", "c"], 1)).toEqual(["b", "c", "a"]);
  });

  it("begins no round that would not end in time", async () => {
    let measured = 0;
    const slow = {
      measure: async () => {
        measured++;
        await new Promise((resolve) => setTimeout(resolve, 60));
        return { per_s: 1 };
      },
    };
    const results = await contest(bench(5), { ags: slow }, 0.1);
    expect(measured).toBe(1);
    expect(ratesOf(results.ags)).toEqual([1]);
  });

  it("takes the median of its rounds", async () => {
    const rates = [30, 10, 20];
    const results = await contest(bench(3), {
      ags: { measure: (round: number) => Promise.resolve({ per_s: rates[round] }) },
    });
    expect(results.ags).toMatchObject({ per_s: 20 });
  });
});

describe("what a step costs", () => {
  it("is not counted where the server does not count", () => {
    expect(perStep({ steps: 10, round_trips: 5, commits: 5, statements: null })).toMatchObject({
      statements_per_step: null,
      wal_bytes_per_step: null,
      statements_note: "pg_stat_statements is not loaded on this server",
    });
  });

  it("is counted by step", () => {
    const statements = { top: 5, nested: 100, wal_bytes: 1000 };
    expect(perStep({ steps: 10, round_trips: 5, commits: 4, statements })).toMatchObject({
      round_trips_per_step: 0.5,
      commits_per_step: 0.4,
      statements_per_step: { from_the_client: 0.5, inside_functions: 10 },
      wal_bytes_per_step: 100,
    });
  });
});
