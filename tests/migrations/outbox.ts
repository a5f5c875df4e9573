import { afterAll, beforeAll, beforeEach } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { activate, addMember } from "../support/line.ts";

/** An operator, an owner and a clock that stands still: what an effect needs to be approved. */
export let db: TestDatabase;
export let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  await addMember(db, "owner", "oskar", "1002");
  clock = await freezeClock(db, "2027-05-01T10:00:00Z");
});
beforeEach(() => clock.advance(3600));
afterAll(() => db.close());
