import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { accept, activate, alertEvent } from "../support/line.ts";

let db: TestDatabase;
let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  clock = await freezeClock(db, "2031-03-10T12:00:00Z");
});
afterAll(() => db?.close());

const rotate = async () =>
  (await db.owner<{ n: number }>("select private.rotate_partitions() as n"))[0].n;

const partitions = async (table: string) =>
  (await db.owner<{ name: string }>(
    "select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::text::regclass order by 1",
    [`public.${table}`],
  )).map(({ name }) => name);

const receiptsIn = async () => (await db.owner<{ place: string; n: number }>(
  "select tableoid::regclass::text as place, count(*)::int as n from public.event_receipts group by 1",
));

describe("a receipt", () => {
  it("that no month was made for is stored all the same", async () => {
    await accept(db, alertEvent("BUY EARLYUSDT"));
    expect(await receiptsIn()).toEqual([{ place: "private.event_receipts_rest", n: 1 }]);
    await expect(db.owner("truncate private.event_receipts")).rejects.toMatchObject({
      code: "AGHIS",
    });
  });

  it("lies in its month once the job has made it, and the month of a stray row is not made over it", async () => {
    await clock.set("2031-04-02T00:00:00Z");
    expect(await rotate()).toBeGreaterThan(0);
    expect(await partitions("event_receipts")).toContain("private.event_receipts_2031_04");
    expect(await partitions("event_receipts")).not.toContain("private.event_receipts_2031_03");
    await accept(db, alertEvent("BUY APRILUSDT"));
    expect(await receiptsIn()).toContainEqual({ place: "private.event_receipts_2031_04", n: 1 });
    expect(await rotate()).toBe(0);
  });

  it("is counted by the views that were there before", async () => {
    expect(
      await db.owner(
        `select w.ev_class::regclass::text as name from pg_depend d join pg_rewrite w on w.oid = d.objid
         join pg_inherits i on i.inhrelid = d.refobjid where d.classid = 'pg_rewrite'::regclass`,
      ),
    ).toEqual([]);
  });

  it("is found as a repeat across the boundary of two months", async () => {
    await clock.set("2031-04-30T23:59:50Z");
    const first = await accept(db, alertEvent("BUY BOUNDARYUSDT"));
    await clock.set("2031-05-01T00:00:10Z");
    expect(await accept(db, alertEvent("BUY BOUNDARYUSDT"))).toMatchObject({
      task_id: first.task_id,
      duplicate: true,
    });
  });
});

describe("a partition", () => {
  it("is out of reach for every role that can log in, and has row-level security of its own", async () => {
    for (const role of ["anon", "authenticated", "service_role", "auditor", "administrator"]) {
      await expect(db.as(role, "select 1 from private.event_receipts_2031_04")).rejects.toThrow(
        /permission denied/,
      );
    }
    expect(
      await db.owner(
        `select c.relname from pg_class c join pg_inherits i on i.inhrelid = c.oid
         where c.relkind = 'r' and not c.relrowsecurity`,
      ),
    ).toEqual([]);
  });

  it("refuses UPDATE, DELETE and TRUNCATE as its table does, the owner's too", async () => {
    for (
      const statement of [
        "update private.event_receipts_2031_04 set body = ''",
        "delete from private.event_receipts_2031_04",
        "truncate private.event_receipts_2031_04",
        "truncate private.event_receipts_rest",
        "truncate public.event_receipts",
      ]
    ) await expect(db.owner(statement)).rejects.toMatchObject({ code: "AGHIS" });
  });

  it("stays while a row is in it, and leaves with its month when retention has emptied it", async () => {
    await clock.set("2031-08-15T00:00:00Z");
    await rotate();
    expect(await partitions("event_receipts")).toContain("private.event_receipts_2031_05");
    await db.owner("select private.prune_history()");
    expect(await rotate()).toBeGreaterThan(0);
    expect(await partitions("event_receipts")).not.toContain("private.event_receipts_2031_05");
    expect(await receiptsIn()).toEqual([]);
    const [note] = await db.owner<{ gone: string[] }>(
      "select after_json -> 'gone' as gone from public.audit_logs where action = 'partitions.rotate' order by id desc limit 1",
    );
    expect(note.gone).toContain("private.event_receipts_2031_05");
  });

  it("of this month or a later one is never dropped, and neither is the default one", async () => {
    const kept = await partitions("metrics");
    expect(kept).toContain("private.metrics_rest");
    expect(kept).toContain("private.metrics_2031_08");
    for (const name of ["private.metrics_rest", "private.metrics_2031_08", "public.tasks"]) {
      const [{ dropped }] = await db.owner<{ dropped: boolean }>(
        "select private.drop_empty_partition('metrics', $1::text::regclass) as dropped",
        [name],
      );
      expect([name, dropped]).toEqual([name, false]);
    }
  });
});
