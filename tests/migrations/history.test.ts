import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  approvedSignal,
  archivedSignal,
  claim,
  decide,
  openCode,
  policy,
  signalAtGate,
  statusOf,
} from "../support/line.ts";
import { freezeClock } from "../support/clock.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  await addMember(db, "owner", "oskar", "1002");
  await archivedSignal(db);
});
afterAll(() => db.close());

const histories = [
  "events",
  "approvals",
  "audit_logs",
  "event_receipts",
  "telegram_updates",
  "evaluations",
];

describe("history", () => {
  it.each(histories)("of %s refuses UPDATE, DELETE and TRUNCATE to its owner", async (table) => {
    const [{ column, rows }] = await db.owner<{ column: string; rows: number }>(
      `select attname as column, (select count(*)::int from public.${table}) as rows
       from pg_attribute where attrelid = 'public.${table}'::regclass and attnum > 0 and attidentity = '' order by attnum limit 1`,
    );
    expect(rows).toBeGreaterThan(0);
    for (
      const sql of [
        `update public.${table} set "${column}" = "${column}"`,
        `delete from public.${table}`,
        `truncate public.${table} cascade`,
      ]
    ) await expect(db.owner(sql), sql).rejects.toMatchObject({ code: "AGHIS" });
  });

  it("is not fooled by a statement that names the retention job in a comment", async () => {
    for (
      const body of [
        "begin delete from public.events /* function private.prune_history( */; end",
        "begin delete from public.event_receipts /*\nPL/pgSQL function private.prune_history() line 9 at SQL statement\n*/; end",
      ]
    ) await expect(db.owner(`do $$ ${body} $$`)).rejects.toMatchObject({ code: "AGHIS" });
  });

  it("gives its old raw deliveries to the retention job alone, which leaves a note", async () => {
    const clock = await freezeClock(db, "2026-01-10T12:00:00Z");
    await accept(db, alertEvent("BUY OLDUSDT", { action: "NONSENSE" }));
    await accept(db, alertEvent("BUY OLDUSDT"));
    await clock.advance(91 * 86400);
    await accept(db, alertEvent("BUY NEWUSDT"));
    const before = await db.owner<{ n: number }>(
      "select count(*)::int as n from public.event_receipts",
    );
    await db.owner("update public.jobs set next_run_at = '2000-01-01'");
    const swept = await db.database.call<Record<string, number>>("sweep");
    expect(swept.prune_history).toBe(2);
    const after = await db.owner<{ n: number }>(
      "select count(*)::int as n from public.event_receipts",
    );
    expect(after[0].n).toBe(before[0].n - 2);
    expect(
      await db.owner(
        "select after_json ->> 'event_receipts' as n from public.audit_logs where action = 'history.prune'",
      ),
    )
      .toEqual([{ n: "2" }]);
    expect(await db.owner("select last_status from public.jobs where last_status <> 'ok'")).toEqual(
      [],
    );
  });
});

it("keeps raw deliveries as long as the active policy says", async () => {
  await activate(db, "keeps for a month", {
    ...policy,
    windows: { ...policy.windows, raw_days: 30 },
  });
  const clock = await freezeClock(db, "2026-08-01T12:00:00Z");
  await accept(db, alertEvent("BUY MONTHUSDT"));
  const left = async () => {
    await db.owner("select private.prune_history()");
    return await db.owner("select 1 from public.event_receipts where body = 'BUY MONTHUSDT'");
  };
  await clock.advance(30 * 86400);
  expect(await left()).toHaveLength(1);
  await clock.advance(1);
  expect(await left()).toHaveLength(0);
  await activate(db);
});

describe("the audit", () => {
  let other: TestDatabase;
  beforeAll(async () => {
    other = await openTestDatabase();
    await activate(other);
    await addMember(other, "operator", "olga", "1001");
  });
  afterAll(() => other.close());

  it.each([
    ["that raises", "raise exception 'blocked'"],
    ["that swallows the row", "return null"],
  ])("stops every transition when its insert meets a trigger %s", async (_how, body) => {
    const taskId = await signalAtGate(other);
    const code = await openCode(other, taskId);
    await accept(other, alertEvent(`SELL ${_how}`));
    await other.owner(
      `create or replace function private.block() returns trigger language plpgsql as $$ begin ${body}; end $$`,
    );
    await other.owner(
      "create trigger a_block before insert on public.audit_logs for each row execute function private.block()",
    );
    const before = await other.owner(
      "select status, count(*)::int from public.task_steps group by 1 order by 1",
    );
    await expect(accept(other, alertEvent("BUY BTCUSDT now"))).rejects.toBeTruthy();
    await expect(claim(other)).rejects.toBeTruthy();
    await expect(decide(other, "1001", code)).rejects.toBeTruthy();
    await other.owner("drop trigger a_block on public.audit_logs");
    expect(
      await other.owner(
        "select status, count(*)::int from public.task_steps group by 1 order by 1",
      ),
    ).toEqual(before);
    expect(await statusOf(other, taskId)).toBe("awaiting_approval");
    expect(await other.owner("select 1 from public.approvals")).toEqual([]);
  });

  it("keeps what the owner changes or removes by hand, under either name", async () => {
    await other.owner(
      "insert into public.feature_flags (key, updated_by, reason) values ('a_flag', 'test', 'test')",
    );
    await other.owner("update public.feature_flags set key = 'b_flag'");
    await other.owner("delete from public.feature_flags");
    const rows = await other.owner<{ object: string; step: string }>(
      `select object, case when before_json is null then 'came' when after_json is null then 'went' else 'changed' end as step
       from public.audit_logs where object like 'flag:%' order by id`,
    );
    expect(rows.map(({ object, step }) => `${object} ${step}`).sort()).toEqual(
      ["flag:a_flag came", "flag:a_flag went", "flag:b_flag came", "flag:b_flag went"],
    );
  });

  it("refuses that an audited table is truncated", async () => {
    for (const table of ["members", "policies", "agents", "limits"]) {
      await expect(other.owner(`truncate public.${table} cascade`), table).rejects.toMatchObject({
        code: "AGHIS",
      });
    }
  });

  it("names actor and action of every change", async () => {
    await approvedSignal(other);
    const rows = await other.owner<{ action: string }>(
      "select distinct action from public.audit_logs where object ~ '^(task|step|request|approval):' and outcome = 'done' and login is not null",
    );
    for (const { action } of rows) expect(action).toMatch(/^[a-z]+\.[a-z_]+$/);
    expect(rows.map(({ action }) => action)).toContain("approval.decide");
    expect(rows.map(({ action }) => action).filter((action) => /\.(insert|update)$/.test(action)))
      .toEqual([]);
  });
});
