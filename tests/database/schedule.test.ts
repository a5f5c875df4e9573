import { randomUUID } from "node:crypto";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TestDatabase } from "../support/database.ts";
import * as line from "../support/line.ts";
import {
  type NativeDatabase,
  nativeUrl,
  onNativeExtension,
  openNativeDatabase,
} from "../support/native.ts";

/** The statement that docs/deploy.md gives to pg_cron on a PostgreSQL of one's own. */
const sweep = "set role service_role; select api.sweep()";

await onNativeExtension("pg_cron", "the schedule under pg_cron", () => {
  let native: NativeDatabase;
  let db: TestDatabase;
  let cron: Sql;
  let job: number | null = null;
  const name = `ags-test-${randomUUID()}`;

  beforeAll(async () => {
    native = await openNativeDatabase();
    db = native as unknown as TestDatabase;
    cron = postgres(nativeUrl!, { max: 1, onnotice: () => {} });
    await line.activate(db);
  });
  afterAll(async () => {
    if (job !== null) await cron`select cron.unschedule(${job}::bigint)`;
    await cron?.end();
    await native?.close();
  });

  it("gives a lost lease back, and the extension's own table says that it ran", async () => {
    await line.accept(db, line.alertEvent(`BUY BTCUSDT ${randomUUID()}`));
    const [work] = await line.claim(db, ["planner"]);
    await db.owner(
      "update public.task_steps set lease_expires_at = private.now() - interval '1 second' where step_id = $1",
      [work.step_id],
    );
    const database = new URL(native.ownerUrl).pathname.slice(1);
    [{ job }] = await cron`
      select cron.schedule_in_database(${name}, '1 seconds', ${sweep}, ${database})::integer as job`;

    await expect.poll(async () => {
      const [step] = await db.owner<{ status: string; failures: number }>(
        "select status, failures from public.task_steps where step_id = $1",
        [work.step_id],
      );
      return step;
    }, { timeout: 20_000, interval: 250 }).toEqual({ status: "ready", failures: 1 });
    await expect.poll(async () => {
      const [run] = await cron`
        select status from cron.job_run_details where jobid = ${job} order by start_time limit 1`;
      return run?.status;
    }, { timeout: 20_000, interval: 250 }).toBe("succeeded");
    const [ran] = await db.owner<{ last_status: string }>(
      "select last_status from public.jobs where job_name = 'reap_leases'",
    );
    expect(ran.last_status).toBe("ok");
  }, 60_000);
});
