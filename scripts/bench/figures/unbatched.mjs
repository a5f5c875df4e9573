// One step a claim and one a completion: what is left when no batch shares the round trip and the flush of the log.
import { ratioOfRounds } from "../report/statistics.mjs";
import { contest, ratesOf } from "./contest.mjs";
import { ownEntry, rivalEntries } from "./entries.mjs";
import { ceilingEntry, workers } from "./steps.mjs";

export async function measureUnbatched(bench) {
  const { quick } = bench.options;
  const results = await contest(bench, {
    ags: ownEntry(bench, "steps", { workers, batch: 1, jobs: quick ? 1_000 : 4_000 }),
    ...rivalEntries(
      bench,
      ["pg-boss"],
      "steps",
      () => ({ workers, batch: 1, jobs: quick ? 1_500 : 6_000 }),
    ),
    ceiling: ceilingEntry(bench, "step.sql", 1, 0),
  }, quick ? 25 : Infinity);
  return {
    batch: 1,
    workers,
    results,
    vs_ceiling: ratioOfRounds(ratesOf(results.ags), ratesOf(results.ceiling)),
  };
}
