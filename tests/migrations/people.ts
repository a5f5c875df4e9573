import { afterAll, beforeAll, beforeEach } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { activate, addMember } from "../support/line.ts";

/** Members of every kind, one person with three accounts among them, and a clock that stands still. */
export let db: TestDatabase;
export let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  for (
    const [role, name, telegram, person] of [
      ["operator", "olga", "1001"],
      ["owner", "oskar", "1002"],
      ["reviewer", "rita", "1003"],
      ["operator", "tom", "1004"],
      ["operator", "tom-phone", "1014", "tom"],
      ["owner", "tom-owner", "1024", "tom"],
      ["operator", "pia", "1005"],
    ]
  ) await addMember(db, role, name, telegram, person);
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
