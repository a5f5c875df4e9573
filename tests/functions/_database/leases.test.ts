import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Database } from "../../../functions/_database/database.ts";
import { holdLease, returnSteps } from "../../../functions/_database/leases.ts";
import { DatabaseUnavailable } from "../../../functions/_database/trouble.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const lease = { step_id: "s", attempt: 1, lease_token: "t" };

function database(answer: () => unknown) {
  const calls: unknown[] = [];
  const one: Database = {
    call: (name, args) => {
      calls.push([name, args]);
      return new Promise((resolve) => resolve(answer() as never));
    },
    close: () => Promise.resolve(),
  };
  return { one, calls };
}
const away = () => {
  throw new DatabaseUnavailable("unseen", "gone");
};

it("asks nothing for a step that is short", async () => {
  const { one, calls } = database(() => ({ status: "running" }));
  const release = holdLease(one, lease);
  await vi.advanceTimersByTimeAsync(9_900);
  release();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toEqual([]);
});

it("extends every ten seconds under its fence, and through a database that is away", async () => {
  let times = 0;
  const { one, calls } = database(() => ++times === 2 ? away() : { status: "running" });
  const release = holdLease(one, lease);
  await vi.advanceTimersByTimeAsync(35_000);
  release();
  expect(calls).toEqual(
    Array(3).fill(["extend_lease", { p_step_id: "s", p_attempt: 1, p_lease_token: "t" }]),
  );
});

it("asks no more once the lease is lost", async () => {
  const { one, calls } = database(() => ({ refused: "stale_lease" }));
  holdLease(one, lease);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toHaveLength(1);
});

it("lets the lease of a step that hangs lapse after ten minutes", async () => {
  const { one, calls } = database(() => ({ status: "running" }));
  holdLease(one, lease);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(calls).toHaveLength(60);
});

it("gives back nothing for nothing, and leaves to the reaper what a database that is away cannot take", async () => {
  const { one, calls } = database(away);
  expect(await returnSteps(one, [], "why")).toBe(0);
  expect(calls).toEqual([]);
  expect(await returnSteps(one, [lease], "why")).toBe(0);
});

it("counts what went back, and not what its holder has to end", async () => {
  const { one } = database(() => [{ status: "ready" }, { status: "running" }, {
    refused: "stale_lease",
  }]);
  expect(await returnSteps(one, [lease, lease, lease], "why")).toBe(1);
});
