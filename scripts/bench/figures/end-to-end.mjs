// Six steps, one task at a time, from the delivery to the archive; beside a workflow of six steps.
import { latencies, median, percentile, ratio, rounded } from "../report/statistics.mjs";
import { contest } from "./contest.mjs";
import { ownEntry, rivalEntries } from "./entries.mjs";

export async function measureEndToEnd(bench) {
  const { quick } = bench.options;
  const tasks = quick ? 60 : 200;
  const results = await contest(bench, {
    ags: ownEntry(bench, "taskEndToEnd", { tasks }),
    ...rivalEntries(bench, ["dbos"], "taskEndToEnd", () => ({ tasks, length: 6 })),
  }, quick ? 20 : Infinity);
  const told = Object.fromEntries(
    Object.entries(results).map(([name, { rounds: each, skipped }]) => [
      name,
      skipped ? { skipped } : {
        ...latencies(each.flatMap((round) => round.latencies)),
        p50_of_rounds_ms: each.map((round) => rounded(percentile(round.latencies, 0.5), 2)),
      },
    ]),
  );
  const p50s = (name) => told[name].p50_of_rounds_ms;
  return {
    results: told,
    ratios: {
      e2e_vs_dbos: told.dbos.skipped
        ? null
        : rounded(median(p50s("ags").map((ours, i) => ratio(ours, p50s("dbos")[i]))), 3),
    },
  };
}
