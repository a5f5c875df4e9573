import { afterAll, beforeAll, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

const sweep = () => db.database.call<Record<string, number>>("sweep");
const fallDue = () => db.owner("update public.jobs set next_run_at = private.now()");

it("jobs of one period that ran together fall due together, however long each took", async () => {
  await db.owner(
    `create or replace function private.expire_requests() returns integer language plpgsql set search_path = ''
     as $$ begin perform pg_sleep(0.1); return 0; end $$`,
  );
  await fallDue();
  const ran = await sweep();
  expect(Object.keys(ran)).toContain("reap_leases");
  // One look wakes an idle worker for all of them, not one for each.
  const periods = await db.owner<{ every_seconds: number; times: number }>(
    "select every_seconds, count(distinct next_run_at)::int as times from public.jobs group by 1 order by 1",
  );
  expect(periods.filter(({ times }) => times > 1)).toEqual([]);
  expect(periods.length).toBeGreaterThan(2);
});

it("a job that fails keeps nobody else from running, and comes again with them", async () => {
  await db.owner(
    `create or replace function private.expire_requests() returns integer language plpgsql set search_path = ''
     as $$ begin raise exception 'out of luck'; end $$`,
  );
  await fallDue();
  const ran = await sweep();
  expect(ran).not.toHaveProperty("expire_requests");
  expect(ran).toHaveProperty("tend_breakers");
  expect(
    await db.owner(
      `select last_status, last_error, next_run_at = (select j.next_run_at from public.jobs j where j.job_name = 'reap_leases') as together
       from public.jobs where job_name = 'expire_requests'`,
    ),
  ).toEqual([{ last_status: "error", last_error: "out of luck", together: true }]);
});
