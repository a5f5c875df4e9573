import { afterAll, beforeAll, beforeEach } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { household } from "../support/household.ts";
import { activate } from "../support/line.ts";

/** Members of every kind, one person with three accounts among them, and a clock that stands still. */
export let db: TestDatabase;
export let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await household(db);
  clock = await freezeClock(db, "2027-05-01T10:00:00Z");
});
beforeEach(async () => {
  await clock.advance(3600);
  await activate(db);
});
afterAll(() => db.close());

export const approvals = (taskId: string) =>
  db.owner<{ approver: string; decision: string }>(
    "select approver, decision from public.approvals where task_id = $1 order by ts, approver",
    [taskId],
  );
