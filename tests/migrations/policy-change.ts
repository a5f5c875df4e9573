import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { activate, addMember } from "../support/line.ts";
import { approved, reserveChange } from "../support/next-policy.ts";

/** One of each role, T3 switched on, the shipped policy in force before every test, and a clock that stands still. */
export let db: TestDatabase;
export let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  await addMember(db, "owner", "oskar", "1002");
  await addMember(db, "reviewer", "rita", "1003");
  clock = await freezeClock(db, "2027-05-01T10:00:00Z");
  await db.owner(
    "insert into public.feature_flags (key, enabled, updated_by, reason) values ('t3_execution_enabled', true, 'test', 'test') on conflict (key) do update set enabled = true",
  );
});
beforeEach(async () => {
  await clock.advance(3600);
  await activate(db);
});
afterAll(() => db.close());

export async function statusOfPolicy(db: TestDatabase, sha256: unknown): Promise<string> {
  const [row] = await db.owner<{ status: string }>(
    "select status from public.policies where policy_sha256 = $1",
    [sha256],
  );
  return row?.status;
}

export const active = async () =>
  (await db.owner<{ sha: string }>("select private.active_policy_sha256() as sha"))[0].sha;
export const problem = async (sha: string | null) =>
  (await db.owner<{ problem: string | null }>("select private.policy_problem($1) as problem", [
    sha,
  ]))[0].problem;

/** Approved and reserved: pending. */
export async function pending() {
  const change = await approved(db);
  expect(await reserveChange(db, change.work)).toMatchObject({ status: "confirmed" });
  return change;
}
