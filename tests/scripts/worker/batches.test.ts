import { expect, it } from "vitest";
import { batches } from "../../../scripts/worker/batches.ts";

it("hands the first in at once, and what came meanwhile together", async () => {
  const seen: number[][] = [];
  let open = () => {};
  const gate = new Promise<void>((resolve) => open = resolve);
  const handIn = batches<number>(async (items) => {
    seen.push(items);
    if (seen.length === 1) await gate;
  });
  const all = [1, 2, 3].map(handIn);
  open();
  await Promise.all(all);
  expect(seen).toEqual([[1], [2, 3]]);
});

it("lets a bad item fail alone", async () => {
  const handIn = batches<number>((items) =>
    items.includes(3) ? Promise.reject(new Error("no 3")) : Promise.resolve()
  );
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map(handIn));
  expect(outcomes.map(({ status }) => status)).toEqual([
    "fulfilled",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
});
