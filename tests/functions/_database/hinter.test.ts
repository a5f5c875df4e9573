import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Database } from "../../../functions/_database/database.ts";
import { hinter } from "../../../functions/_database/hinter.ts";
import { DatabaseUnavailable } from "../../../functions/_database/trouble.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function counted(answer: () => unknown = () => ({})) {
  const calls: string[] = [];
  const database: Database = {
    call: (name) => {
      calls.push(name);
      return new Promise((resolve) => resolve(answer() as never));
    },
    close: () => Promise.resolve(),
  };
  return { database, calls };
}

it("hints at once, and once more at the end of a burst", async () => {
  const { database, calls } = counted();
  const hint = hinter(database);
  for (let i = 0; i < 50; i++) hint();
  expect(calls).toEqual(["hint_work"]);
  await vi.advanceTimersByTimeAsync(20);
  expect(calls).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(calls).toHaveLength(2);
  hint();
  expect(calls).toHaveLength(3);
});

it("tells of what surprises, and of no database that is away", async () => {
  const told: unknown[] = [];
  const away = counted(() => {
    throw new DatabaseUnavailable("not_done", "away");
  });
  hinter(away.database, (error) => told.push(error))();
  await vi.advanceTimersByTimeAsync(50);
  expect(told).toEqual([]);
  const broken = counted(() => {
    throw new TypeError("odd");
  });
  hinter(broken.database, (error) => told.push(error))();
  await vi.advanceTimersByTimeAsync(50);
  expect(told).toHaveLength(1);
});
