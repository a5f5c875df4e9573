import { latencies } from "../report/statistics.mjs";
import { ownEntry } from "./entries.mjs";

/** Where no hint reaches it: the figure is the path, not the pause that a deployment chooses. */
const pollMs = 2;

export async function measureEnqueueToStart(bench) {
  bench.step("an idle worker");
  const tasks = bench.options.quick ? 300 : 2_000;
  const { latencies: each, of, woken_by } = await ownEntry(bench, "enqueueToStart", {
    tasks,
    pollMs,
  })
    .measure();
  return { ...latencies(each), of, woken_by };
}
