import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addConsumer } from "../support/bus.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import * as line from "../support/line.ts";

let db: TestDatabase;
let consumer: string;
let consumers = 0;
beforeAll(async () => {
  db = await openTestDatabase();
  await line.activate(db);
  await line.addMember(db, "owner", "oskar", "1002");
});
afterAll(() => db.close());
beforeEach(async () => {
  consumer = `counted-${++consumers}`;
  await addConsumer(db, consumer);
});

/** So many events were handed out, one of them so many times more than once. */
async function executions(events: number, repeats: number, rewound = 0): Promise<void> {
  await db.owner(
    `insert into public.consumer_receipts (consumer, event_id, handed, rewound)
     select $1, gen_random_uuid(), case when n = 1 then 1 + $3::int + $4::int else 1 end, case when n = 1 then $4::int else 0 end
     from generate_series(1, $2::int) n`,
    [consumer, events, repeats, rewound],
  );
}
const figure = async () =>
  (await db.owner<{ status: string; value: string | null }>(
    "select status, value::text as value from public.kpi_alerts where subject = $1",
    [`consumer:${consumer}`],
  ))[0];
const evaluate = () => db.owner("select private.evaluate_alerts()");
const alerts = (subject = `consumer:${consumer}`, code = "duplicate_rate_high") =>
  db.owner<{ open: boolean; severity: string; seen: number; closed_by: string | null }>(
    "select closed_at is null as open, severity, seen, closed_by from public.alerts where code = $1 and subject = $2 order by opened_at",
    [code, subject],
  );

describe("repeated executions", () => {
  it("are unknown where nothing was executed", async () => {
    expect(await figure()).toEqual({ status: "unknown", value: null });
    await evaluate();
    expect(await alerts()).toEqual([]);
  });

  it.each([
    [400, 1, "met"],
    [333, 1, "met"],
    [332, 1, "watch"],
    [99, 1, "watch"],
    [98, 1, "alert"],
  ])("of %i events with %i repeat are: %s", async (events, repeats, status) => {
    await executions(events, repeats);
    expect((await figure()).status).toBe(status);
  });

  it("at 1.00 % ring nowhere", async () => {
    await executions(99, 1);
    expect((await figure()).value).toBe("0.010000");
    await evaluate();
    expect(await alerts()).toEqual([]);
  });

  it("at 1.01 % are critical, once, and the alert closes by itself when they are back", async () => {
    await executions(98, 1);
    expect((await figure()).value).toBe("0.010101");
    await evaluate();
    await evaluate();
    expect(await alerts()).toEqual([
      { open: true, severity: "critical", seen: 1, closed_by: null },
    ]);
    const rung = await db.owner(
      "select 1 from public.notifications where payload_json ->> 'subject' = $1",
      [`consumer:${consumer}`],
    );
    expect(rung).toHaveLength(1);
    await executions(1, 0);
    await evaluate();
    expect(await alerts()).toEqual([
      { open: false, severity: "critical", seen: 1, closed_by: null },
    ]);
  });

  it("leave their alert open when the samples run out, for nothing was seen to be better", async () => {
    await executions(10, 1);
    await evaluate();
    await db.owner(
      "update public.consumer_receipts set last_delivered_at = now() - interval '25 hours' where consumer = $1",
      [consumer],
    );
    await evaluate();
    expect((await alerts())[0].open).toBe(true);
  });

  it("are not those that somebody sent back, nor what is only passed on", async () => {
    await executions(10, 0, 5);
    expect((await figure()).value).toBe("0.000000");
    expect(await db.owner("select 1 from public.kpi_alerts where subject = 'consumer:redis-relay'"))
      .toEqual([]);
  });

  it("of effects are counted by step: one that was confirmed twice is found", async () => {
    const effects = async () =>
      (await db.owner<{ status: string; value: string | null }>(
        "select status, value::text as value from public.kpi_alerts where subject = 'effects'",
      ))[0];
    expect(await effects()).toEqual({ status: "unknown", value: null });
    await line.addMember(db, "operator", "olga", "1001");
    await line.archivedSignal(db);
    expect(await effects()).toEqual({ status: "met", value: "0.000000" });
    await db.pg.transaction(async (tx) => {
      await tx.exec("set local role postgres; set local session_replication_role = replica");
      await tx.exec(
        `insert into public.effects (status, task_id, step_id, kind, channel, idempotency_key, payload_json, confirmed_at)
        select 'confirmed', task_id, step_id, kind, channel, idempotency_key || ':again', payload_json, now() from public.effects limit 1`,
      );
    });
    expect(await effects()).toEqual({ status: "alert", value: "0.500000" });
    await evaluate();
    expect(await alerts("effects")).toMatchObject([{ open: true, severity: "critical" }]);
  });
});

describe("the critic's pass rate", () => {
  /** In thousandths, of a thousand evaluations. */
  async function passing(thousandths: number): Promise<void> {
    await db.pg.transaction(async (tx) => {
      await tx.exec("set local role postgres; set local session_replication_role = replica");
      await tx.exec("update public.evaluations set created_at = now() - interval '2 days'");
      await tx.query(
        `insert into public.evaluations overriding system value
         select (jsonb_populate_record(null::public.evaluations, to_jsonb(e) || jsonb_build_object('evaluation_id', gen_random_uuid(),
           'seq', 100000 + coalesce((select max(seq) from public.evaluations), 0) + n, 'created_at', now(),
           'verdict', case when n <= $1::int then 'pass' else 'fail' end))).*
         from (select * from public.evaluations where step_id is not null limit 1) e, generate_series(1, 1000) n`,
        [thousandths],
      );
    });
  }
  const standing = async () =>
    (await db.owner<{ status: string }>(
      "select status from public.kpi_alerts where kpi = 'critic_pass'",
    ))[0].status;

  it.each([[950, "met"], [949, "watch"], [850, "watch"], [849, "alert"]])(
    "of %i in a thousand is: %s",
    async (thousandths, status) => {
      await passing(thousandths);
      expect(await standing()).toBe(status);
    },
  );

  it("below 85 % is a warning, which closes by itself", async () => {
    await passing(849);
    await evaluate();
    expect(await alerts("all", "critic_pass_low")).toMatchObject([
      { open: true, severity: "warning" },
    ]);
    await passing(990);
    await evaluate();
    expect((await alerts("all", "critic_pass_low"))[0].open).toBe(false);
  });
});

describe("the oldest snapshot", () => {
  const text =
    "select status, value::text as value from public.kpi_alerts where kpi = 'oldest_snapshot'";

  it("is no figure for whoever may not see the sessions of others", async () => {
    expect(await db.as("auditor", text)).toEqual([{ status: "unknown", value: null }]);
  });
});
