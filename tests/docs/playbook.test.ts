import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  decide,
  openCode,
  signalAtGate,
} from "../support/line.ts";

/** The tables of the playbook's data design, column by column. More columns are allowed, fewer or others are not. */
const tables: Record<string, string[]> = {
  tasks: ["task_id", "created_at", "actor", "goal", "risk_tier", "status"],
  task_steps: [
    "step_id",
    "task_id",
    "agent",
    "input_ref",
    "output_ref",
    "status",
    "quality_score",
    "started_at",
    "ended_at",
  ],
  approvals: ["approval_id", "task_id", "step_id", "tier", "approver", "decision", "reason", "ts"],
  artifacts: ["artifact_id", "task_id", "type", "storage_ref", "checksum", "created_at"],
  events: ["event_id", "task_id", "type", "payload_json", "idempotency_key", "ts"],
  limits: ["account_id", "daily_loss_cap", "max_order_size"],
  audit_logs: ["id", "actor", "action", "object", "before_json", "after_json", "ts"],
  one_drive_assets: ["object_key"],
  approval_requests: [
    "code",
    "kind",
    "subject_id",
    "tier",
    "required_slots",
    "requested_at",
    "expires_at",
    "status",
  ],
  app_users: ["user_id", "telegram_user_id", "role"],
  builder_claims: ["claim_id", "status"],
  role_requests: ["role_request_id", "role", "status"],
};

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db?.close());

const columnsOf = async (table: string): Promise<string[]> =>
  (await db.owner<{ name: string }>(
    "select column_name as name from information_schema.columns where table_schema = 'public' and table_name = $1",
    [table],
  )).map(({ name }) => name);

describe("the playbook's data design", () => {
  it.each(Object.entries(tables))("%s has its columns", async (table, columns) => {
    expect(await columnsOf(table)).toEqual(expect.arrayContaining(columns));
  });

  it.each([
    ["tasks", "(status)", false],
    // The unique key of a task's nodes begins with the task: a second index made every claim dearer.
    ["task_steps", "(task_id, node_id)", true],
    ["events", "(idempotency_key)", true],
  ])("%s has an index on %s", async (table, columns, unique) => {
    const rows = await db.owner<{ indexdef: string }>(
      "select indexdef from pg_indexes where schemaname = 'public' and tablename = $1",
      [table],
    );
    const found = rows.filter(({ indexdef }) => indexdef.endsWith(`btree ${columns}`));
    expect(found.some(({ indexdef }) => indexdef.startsWith("CREATE UNIQUE") === unique)).toBe(
      true,
    );
  });

  it.each([
    ["approvals", "tasks"],
    ["approvals", "task_steps"],
    ["task_steps", "tasks"],
    ["artifacts", "tasks"],
  ])("%s point at %s", async (from, to) => {
    const rows = await db.owner(
      "select 1 from pg_constraint where contype = 'f' and conrelid = $1::regclass and confrelid = $2::regclass",
      [`public.${from}`, `public.${to}`],
    );
    expect(rows.length).toBeGreaterThan(0);
  });

  it("refuses a checksum that is no sha256", async () => {
    const bad = db.owner(
      "insert into public.artifacts (task_id, type, storage_ref, checksum, agent, media_type, content) values ('x', 'plan', 'r', 'abc', 'a', 'm', '')",
    );
    await expect(bad).rejects.toThrow(/checksum/);
  });

  it("refuses a limit that is looser than the policy, and takes one that is tighter", async () => {
    await activate(db);
    const set = (positions: number) =>
      db.owner(
        "insert into public.limits (account_id, max_positions, updated_by) values ($1, $2, 'test')",
        [
          `account-${positions}`,
          positions,
        ],
      );
    await expect(set(4)).rejects.toThrow(/tighten/);
    await set(3);
  });

  it("has the five kinds of requests, and refuses a sixth", async () => {
    const [{ text }] = await db.owner<{ text: string }>(
      "select pg_get_constraintdef(oid) as text from pg_constraint where conname = 'request_kind_is_known'",
    );
    expect([...text.matchAll(/'([a-z_]+)'/g)].map(([, kind]) => kind).sort()).toEqual([
      "builder_claim",
      "role_request",
      "security_review",
      "task_step",
      "write_intent",
    ]);
  });
});

describe("the playbook's events", () => {
  const first = [
    "INCIDENT_RAISED",
    "NEED_APPROVAL",
    "PUBLISH_OK",
    "STEP_DONE",
    "STEP_READY",
    "TASK_CREATED",
  ];
  const insert = (type: string, version: string, task: string | null) =>
    db.owner(
      "insert into public.events (task_id, type, agent, idempotency_key, schema_version) values ($1, $2, 'test', gen_random_uuid(), $3)",
      [task, type, version],
    );

  it("are six under 1.0, byte for byte, and the others are 1.1", async () => {
    const { task_id } = await accept(db, alertEvent("events"));
    for (const type of first) {
      await expect(insert(type, "1.1", task_id as string)).rejects.toThrow(/version_1_0/);
      if (type !== "TASK_CREATED") await insert(type, "1.0", task_id as string);
    }
    await expect(insert("TASK_ARCHIVED", "1.0", task_id as string)).rejects.toThrow(/version_1_0/);
    for (const type of ["task_created", "PUBLISH", "STEP_DONE "]) {
      await expect(insert(type, "1.1", task_id as string)).rejects.toThrow(
        /event_type_is_known|version_1_0/,
      );
    }
  });

  it("carry their task, and only an incident may have none", async () => {
    await expect(insert("STEP_DONE", "1.0", null)).rejects.toThrow(/only_an_incident_has_no_task/);
    await expect(insert("INCIDENT_RAISED", "1.0", null)).rejects.toThrow(
      /only_an_incident_has_no_task/,
    );
  });

  it("read as the envelope: eight fields, UTC time, references and score of a finished step", async () => {
    const taskId = await signalAtGate(db);
    const [row] = await db.owner<Record<string, unknown>>(
      "select * from public.event_envelopes where task_id = $1 and event_type = 'STEP_DONE' and agent like 'critic%'",
      [taskId],
    );
    expect(row).toMatchObject({
      schema_version: "1.0",
      event_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      event_type: "STEP_DONE",
      task_id: taskId,
      agent: expect.stringMatching(/^[a-z-]+:[a-z0-9-]+$/),
      ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      idempotency_key: expect.stringMatching(new RegExp(`^${taskId}:critic:[0-9a-f]{32}$`)),
      payload: {
        inputs_ref: `supa://tasks/${taskId}/critic/inputs.json`,
        outputs_ref: expect.stringMatching(/^supa:\/\/artifacts\//),
        quality_score: 1,
      },
    });
  });
});

describe("the playbook's figures", () => {
  const figures = () =>
    db.as<
      {
        kpi: string;
        subject: string;
        window: string;
        status: string;
        value: string | null;
        samples: number;
      }
    >(
      "auditor",
      "select * from public.kpi_current",
    );

  it("has each of them for an hour, a day and a month", async () => {
    const rows = await figures();
    const names = new Set(rows.map(({ kpi }) => kpi));
    for (
      const kpi of [
        "latency_p50",
        "latency_p95",
        "success_rate",
        "critic_score",
        "critic_pass",
        "approval_wait_mean",
        "token_usage",
        "agent_error_rate",
        "duplicate_rate",
        "duplicate_execution_rate",
      ]
    ) {
      expect([kpi, names.has(kpi)]).toEqual([kpi, true]);
    }
    expect([...new Set(rows.map((row) => row.window))].sort()).toEqual(["1 h", "24 h", "30 d"]);
  });

  it("says unknown without a sample, and never met", async () => {
    const rows = (await figures()).filter(({ samples }) => Number(samples) === 0);
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(({ status, value }) => status !== "unknown" || value !== null)).toEqual([]);
  });

  it("measures the wait from the request to the last decision", async () => {
    await addMember(db, "operator", "olga", "1001");
    const taskId = await signalAtGate(db);
    await decide(db, "1001", await openCode(db, taskId));
    const [{ waited }] = await db.owner<{ waited: string }>(
      `select extract(epoch from max(a.ts) - min(r.requested_at)) as waited
       from public.approval_requests r join public.approvals a using (request_id) where r.task_id = $1`,
      [taskId],
    );
    const row = (await figures()).find((one) =>
      one.kpi === "approval_wait_mean" && one.subject === "T2" && one.window === "1 h"
    );
    expect(Number(row?.value)).toBeCloseTo(Number(waited), 5);
  });
});
