import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase, type TestTransaction } from "../support/database.ts";
import { activate, addMember, archivedSignal } from "../support/line.ts";

type Row = Record<string, unknown>;
type Table = "tasks" | "approval_requests" | "approvals" | "evaluations" | "effects";

let db: TestDatabase;
/** One row of each table, as the line wrote it for an archived signal. */
let pattern: Record<Table, Row>;
const now = Date.now();
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();

beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  const taskId = await archivedSignal(db);
  const row = async (table: Table) =>
    (await db.owner<{ row: Row }>(
      `select to_jsonb(t) as row from public.${table} t where task_id = $1 limit 1`,
      [taskId],
    ))[0].row;
  pattern = {
    tasks: await row("tasks"),
    approval_requests: await row("approval_requests"),
    approvals: await row("approvals"),
    evaluations: await row("evaluations"),
    effects: await row("effects"),
  };
});
afterAll(() => db.close());

type Planted = Partial<Record<Table, Row[]>>;

/** What a figure says of these rows alone. They are planted past the guards and the unique keys, and taken back. */
async function figure(planted: Planted, kpi: string, subject: string): Promise<string> {
  let status = "";
  await db.pg.transaction(async (tx: TestTransaction) => {
    await tx.exec(`set local role postgres; set local session_replication_role = replica;
      alter table public.effects drop constraint effects_idempotency_key_key`);
    for (const table of ["approvals", "approval_requests", "evaluations", "effects", "tasks"]) {
      await tx.exec(`delete from public.${table}`);
    }
    for (const [table, rows = []] of Object.entries(planted)) {
      await tx.query(
        `insert into public.${table} overriding system value
         select * from jsonb_populate_recordset(null::public.${table}, $1)`,
        [JSON.stringify(rows)],
      );
    }
    const { rows } = await tx.query<{ status: string }>(
      `select status from public.kpi_current where kpi = $1 and subject = $2 and "window" = '1 h'`,
      [kpi, subject],
    );
    status = rows[0].status;
    await tx.rollback();
  });
  return status;
}

const many = (count: number, make: (i: number) => Row): Row[] =>
  Array.from({ length: count }, (_, i) => make(i));
const task = (i: number, more: Row = {}): Row => ({
  ...pattern.tasks,
  task_id: `T-2020-01-01-${1000 + i}`,
  created_at: ago(900),
  archived_at: ago(60),
  ended_at: ago(60),
  ...more,
});
/** A task that was archived a minute ago, so many seconds after it was created. */
const lasted = (seconds: number, tier: string): Row =>
  task(0, { created_at: ago(60 + seconds), risk_tier: tier });
/** A request of it, answered so many seconds after it was made. */
const answered = (seconds: number, tier: string): Planted => ({
  approval_requests: [{
    ...pattern.approval_requests,
    task_id: "T-2020-01-01-1000",
    tier,
    requested_at: ago(70 + seconds),
  }],
  approvals: [{ ...pattern.approvals, task_id: "T-2020-01-01-1000", ts: ago(70) }],
});

it.each([["T0", 8, "met"], ["T0", 8.001, "missed"], ["T1", 8, "met"], ["T1", 8.001, "missed"]])(
  "the median %s task of %s s has %s its target",
  async (tier, seconds, status) => {
    expect(await figure({ tasks: [lasted(seconds, tier)] }, "latency_p50", tier)).toBe(status);
  },
);

it.each([[45, "met"], [45.001, "missed"]])(
  "a T2 task of %s s beside the 300 s that people took has %s its target, and its whole time has none",
  async (seconds, status) => {
    const planted = { tasks: [lasted(300 + seconds, "T2")], ...answered(300, "T2") };
    expect(await figure(planted, "latency_net_p50", "T2")).toBe(status);
    expect(await figure(planted, "latency_p50", "T2")).toBe("no_target");
  },
);

it.each([[299.999, "met"], [300, "missed"]])(
  "T3 approvals of %s s on average have %s their target",
  async (seconds, status) => {
    const planted = { tasks: [lasted(600, "T3")], ...answered(seconds, "T3") };
    expect(await figure(planted, "approval_wait_mean", "T3")).toBe(status);
  },
);

it.each([[1, "met"], [2, "missed"]])(
  "%s failed tasks in a hundred have %s the target of success",
  async (failed, status) => {
    const tasks = many(
      100,
      (i) => task(i, i < failed ? { status: "failed", archived_at: null, ended_at: ago(60) } : {}),
    );
    expect(await figure({ tasks }, "success_rate", "all")).toBe(status);
  },
);

it.each([[5, "met"], [6, "missed"]])(
  "%s failed evaluations in a hundred have %s the target of the critic",
  async (failed, status) => {
    const evaluations = many(100, (i) => ({
      ...pattern.evaluations,
      evaluation_id: randomUUID(),
      seq: i + 1,
      created_at: ago(60),
      verdict: i < failed ? "fail" : "pass",
    }));
    expect(await figure({ evaluations }, "critic_pass", "all")).toBe(status);
  },
);

it.each([[2, "met"], [3, "missed"]])(
  "%s effects of a thousand that were executed twice have %s the target of duplicates",
  async (twice, status) => {
    const effects = many(1000, (i) => ({
      ...pattern.effects,
      effect_id: randomUUID(),
      reserved_at: ago(60),
      idempotency_key: `key ${i < twice ? i + 500 : i}`,
    }));
    expect(await figure({ effects }, "duplicate_execution_rate", "effects")).toBe(status);
  },
);

it.each([["latency_p50", "T0"], ["latency_net_p50", "T2"], ["approval_wait_mean", "T3"], [
  "critic_pass",
  "all",
]])(
  "without a sample %s of %s is unknown",
  async (kpi, subject) => {
    expect(await figure({}, kpi, subject)).toBe("unknown");
  },
);
