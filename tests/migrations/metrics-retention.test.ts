import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { accept, activate, alertEvent } from "../support/line.ts";

let db: TestDatabase;
let clock: FrozenClock;
let taskId: string;
const measured = "2026-01-01T00:00:00.000Z";
beforeAll(async () => {
  db = await openTestDatabase();
  clock = await freezeClock(db, measured);
  await activate(db);
  taskId = (await accept(db, alertEvent("BUY BTCUSDT"))).task_id as string;
  await db.owner(
    "insert into public.metrics (task_id, name, value, unit) values ($1, 'end_to_end', 1, 'ms')",
    [taskId],
  );
});
afterAll(() => db?.close());

const left = async () => (await db.owner("select 1 from public.metrics")).length;
const prune = async () =>
  (await db.owner<{ n: number }>("select private.prune_metrics() as n"))[0].n;
const days = (count: number, ms = 0) =>
  new Date(Date.parse(measured) + count * 86_400_000 + ms).toISOString();

describe("what a task measured", () => {
  it("is kept for 365 days to the millisecond", async () => {
    await clock.set(days(365));
    expect(await prune()).toBe(0);
    expect(await left()).toBe(1);
  });

  it("is removed on the 366th day, by the job alone, with an audit row and nothing else", async () => {
    const before = await db.owner<{ n: number }>(
      "select (select count(*) from public.tasks)::int + (select count(*) from public.events)::int as n",
    );
    for (const role of ["service_role", "auditor", "administrator", "authenticated"]) {
      await expect(db.as(role, "delete from public.metrics")).rejects.toThrow(/permission denied/);
    }
    await clock.set(days(366));
    expect(await prune()).toBe(1);
    expect(await left()).toBe(0);
    const [audit] = await db.owner<{ actor: string; after_json: Record<string, unknown> }>(
      "select actor, after_json from public.audit_logs where action = 'metrics.prune' order by id desc limit 1",
    );
    expect(audit).toMatchObject({ actor: "clock", after_json: { metrics: 1, before: days(1) } });
    const after = await db.owner<{ n: number }>(
      "select (select count(*) from public.tasks)::int + (select count(*) from public.events)::int as n",
    );
    expect(after).toEqual(before);
  });

  it("is on the schedule once a day", async () => {
    expect(
      await db.owner("select every_seconds from public.jobs where job_name = 'prune_metrics'"),
    ).toEqual([{ every_seconds: 86_400 }]);
  });
});
