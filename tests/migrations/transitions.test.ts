import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  activate,
  addMember,
  approvedSignal,
  archivedSignal,
  reserve,
  signalAtGate,
} from "../support/line.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  const { work } = await approvedSignal(db);
  await reserve(db, work);
  await signalAtGate(db);
});
afterAll(() => db.close());

const machines = {
  task: { table: "public.tasks", key: "task_id" },
  step: { table: "public.task_steps", key: "step_id" },
  request: { table: "public.approval_requests", key: "request_id" },
  effect: { table: "public.effects", key: "effect_id" },
} as const;

/** Writes every pair of statuses as the owner, each in a transaction that is rolled back, and says which passed. */
async function passing(subject: keyof typeof machines): Promise<string[]> {
  const { table, key } = machines[subject];
  const [{ definition }] = await db.owner<{ definition: string }>(
    `select pg_get_constraintdef(oid) as definition from pg_constraint
     where conrelid = $1::regclass and conname like '%status_is_known'`,
    [table],
  );
  const statuses = [...definition.matchAll(/'([a-z_]+)'/g)].map(([, status]) => status);
  expect(statuses.length).toBeGreaterThan(4);
  await db.pg.exec("set role postgres");
  const passed: string[] = [];
  for (const from of statuses) {
    for (const to of statuses.filter((status) => status !== from)) {
      await db.pg.exec("begin");
      try {
        // Rows that only triggers look at: the constraints beside the status are not what is tested.
        await db.pg.exec(`alter table ${table} disable trigger user;`);
        for (
          const { name } of (await db.pg.query<{ name: string }>(
            "select conname as name from pg_constraint where conrelid = $1::regclass and contype = 'c'",
            [table],
          )).rows
        ) await db.pg.exec(`alter table ${table} drop constraint ${JSON.stringify(name)}`);
        await db.pg.query(
          `update ${table} set status = $1 where ${key} = (select ${key} from ${table} limit 1)`,
          [from],
        );
        await db.pg.exec(
          `alter table ${table} enable trigger user; alter table public.audit_logs enable trigger user;`,
        );
        const error = await db.pg.query(`update ${table} set status = $1 where status = $2`, [
          to,
          from,
        ])
          .then(() => null, (thrown) => thrown);
        if (error === null) passed.push(`${from}>${to}`);
        else expect(["AGTRN", "AGFRZ"]).toContain(error.code);
      } finally {
        await db.pg.exec("rollback");
      }
    }
  }
  await db.pg.exec("set role service_role");
  return passed.sort();
}

describe("state machines", () => {
  it.each(["task", "step", "request", "effect"] as const)(
    "refuse every pair of statuses of a %s that the table does not have, to the owner too",
    async (subject) => {
      const rows = await db.owner<{ edge: string }>(
        `select from_status || '>' || to_status as edge from private.transitions
         where subject = $1 and from_status not in ('(new)', 'archived')`,
        [subject],
      );
      expect(await passing(subject)).toEqual(rows.map(({ edge }) => edge).sort());
    },
  );

  it("refuse a row that begins in the middle", async () => {
    await expect(db.owner(
      `insert into public.task_steps (task_id, node_id, status, agent, agent_class, action, tier)
       select task_id, 'late', 'done', 'a', 'a', 'READ', 'T0' from public.tasks limit 1`,
    )).rejects.toMatchObject({ code: "AGTRN" });
  });

  it("refuse a changed key, under which a row could pass as new", async () => {
    await expect(
      db.owner("update public.task_steps set step_id = gen_random_uuid() where status = 'pending'"),
    )
      .rejects.toMatchObject({ code: "AGTRN" });
  });

  it.each(["tasks", "task_steps", "approval_requests", "effects"])(
    "refuse that rows of %s vanish",
    async (table) => {
      await expect(db.owner(`delete from public.${table}`)).rejects.toMatchObject({
        code: "AGTRN",
      });
      await expect(db.owner(`truncate public.${table} cascade`)).rejects.toMatchObject({
        code: "AGHIS",
      });
    },
  );

  it("have no status that is left by nothing and is no end", async () => {
    const stuck = await db.owner(
      `select distinct subject, to_status from private.transitions t where not exists (select 1 from private.transitions o
         where o.subject = t.subject and o.from_status = t.to_status)
       order by 1, 2`,
    );
    expect(stuck.map(({ subject, to_status }) => `${subject} ${to_status}`)).toEqual([
      "effect confirmed",
      "effect failed",
      "request consumed",
      "request expired",
      "request rejected",
      "request superseded",
      "step cancelled",
      "step failed",
      "step skipped",
      "task archived",
      "task cancelled",
      "task rejected",
      "task rolled_back",
    ]);
  });
});

describe("an archived task", () => {
  let taskId: string;
  beforeAll(async () => {
    taskId = await archivedSignal(db);
  });

  it.each([
    ["tasks", "update public.tasks set goal = 'x' where task_id = $1"],
    ["tasks", "delete from public.tasks where task_id = $1"],
    ["task_steps", "update public.task_steps set last_error = 'x' where task_id = $1"],
    ["artifacts", "update public.artifacts set content = 'x' where task_id = $1"],
    ["artifacts", "delete from public.artifacts where task_id = $1 and type = 'research'"],
    [
      "approval_requests",
      "update public.approval_requests set digest = repeat('0', 64) where task_id = $1",
    ],
    ["effects", "update public.effects set payload_json = '{}' where task_id = $1"],
    [
      "artifacts",
      `insert into public.artifacts (task_id, type, storage_ref, checksum, agent, media_type, content)
      values ($1, 'note', 'supa://x', repeat('0', 64), 'a', 'text/plain', 'late')`,
    ],
    [
      "artifacts",
      `update public.artifacts set step_id = null,
      task_id = (select task_id from public.tasks where status <> 'archived' limit 1) where task_id = $1`,
    ],
  ])("refuses a change of its %s: %s", async (_table, sql) => {
    await expect(db.owner(sql, [taskId])).rejects.toMatchObject({ code: "AGFRZ" });
  });

  it.each(["approvals", "evaluations", "task_steps", "effects"])(
    "refuses that rows of %s vanish",
    async (table) => {
      await expect(db.owner(`delete from public.${table} where task_id = $1`, [taskId]))
        .rejects.toThrow(/archived_is_frozen|history_is_append_only|illegal_transition/);
    },
  );

  it("still takes events and memories", async () => {
    await db.owner("select private.emit('TASK_ARCHIVED', $1, 'test', $1 || ':again')", [taskId]);
    expect(
      await db.owner("select 1 from public.events where idempotency_key = $1", [`${taskId}:again`]),
    ).toHaveLength(1);
  });
});
