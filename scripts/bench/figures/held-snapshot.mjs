import { rounded } from "../report/statistics.mjs";
import { ownEntry } from "./entries.mjs";
import { workers } from "./steps.mjs";

const stepsPerSecond = 800;

export async function measureHeldSnapshot(bench) {
  const { heldMinutes } = bench.options;
  const heldSeconds = heldMinutes * 60;
  bench.step(`${stepsPerSecond} steps/s, a snapshot held for ${heldMinutes} minutes`);
  const contestant = await ownEntry(bench, "heldSnapshot", {
    workers,
    batch: 50,
    stepsPerSecond,
    plainSeconds: Math.min(30, Math.max(10, heldSeconds / 10)),
    heldSeconds,
  }, { limitMs: (heldSeconds + 300) * 1000 }).measure();
  const { plain, held, held_for_s, tables } = contestant;
  const megabytes = (bytes) => rounded(bytes / 1024 / 1024, 1);
  const sizes = tables.map(({ name, heap_bytes, total_bytes, dead_rows, live_rows }) => ({
    name,
    heap_mb: megabytes(heap_bytes),
    with_indexes_mb: megabytes(total_bytes),
    dead_rows,
    live_rows,
  }));
  return {
    offered_per_s: stepsPerSecond,
    held_minutes: heldMinutes,
    held_for_s: rounded(held_for_s, 0),
    plain,
    held,
    // Claims read the first of them alone; public.task_steps keeps every step there ever was.
    hot_table: sizes[0],
    tables: sizes,
    share_without_snapshot: rounded(plain.worked / plain.offered, 3),
    ratios: { held_snapshot_rate: rounded(held.worked / held.offered, 3) },
  };
}
