import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireToLookOnly } from "../../../command-center/platform/guarded-books.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { plantRows } from "../support/planted.ts";

describe("the role command_center", () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await openTestDatabase();
    await plantRows(db);
  });
  afterAll(() => db.close());

  it("may write no table, no column and no sequence anywhere", async () => {
    const found = await db.owner<{ what: string }>(
      `select c.oid::regclass::text as what from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'
         and ((c.relkind in ('r', 'p', 'v', 'm', 'f')
             and (has_table_privilege('command_center', c.oid, 'insert, update, delete, truncate, references, trigger')
               or has_any_column_privilege('command_center', c.oid, 'insert, update, references')))
           or (c.relkind = 'S' and has_sequence_privilege('command_center', c.oid, 'usage, update'))
           or c.relowner = 'command_center'::regrole)`,
    );
    expect(found).toEqual([]);
  });

  it("may create nothing, log in nowhere, and become nobody else", async () => {
    const [role] = await db.owner(
      `select rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolbypassrls, rolreplication from pg_roles where rolname = 'command_center'`,
    );
    expect(Object.values(role)).toEqual(Array(6).fill(false));
    const schemas = await db.owner(
      `select nspname from pg_namespace where has_schema_privilege('command_center', oid, 'create')`,
    );
    expect(schemas).toEqual([]);
    const others = await db.owner(
      `select r.rolname from pg_roles r where r.rolname <> 'command_center' and pg_has_role('command_center', r.oid, 'member')`,
    );
    expect(others).toEqual([]);
  });

  it("may call two functions of ours, and both only tell", async () => {
    const found = await db.owner<{ name: string }>(
      `select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname in ('api', 'private', 'public') and has_function_privilege('command_center', p.oid, 'execute')
         and has_schema_privilege('command_center', n.oid, 'usage') order by 1`,
    );
    expect(found.map(({ name }) => name)).toEqual(["api.read_at()", "api.scheduled_by_cron()"]);
  });

  it("reads no artifact's text, no payload, no lease and no nonce", async () => {
    for (
      const question of [
        "select content from public.artifacts",
        "select payload_json from public.tasks",
        "select payload_json from public.effects",
        "select lease_token from public.task_steps",
        "select nonce from public.approval_requests",
        "select body from public.event_receipts",
        "select before_json from public.audit_logs",
        "select * from public.members",
        "select * from public.notifications",
      ]
    ) {
      await expect(db.as("command_center", question), question).rejects.toThrow(
        /permission denied/,
      );
    }
  });

  it("cannot write even what somebody granted it, since its transactions are read-only", async () => {
    await db.owner("grant update on public.jobs to command_center");
    await expect(
      db.pg.transaction(async (tx) => {
        await tx.exec("set transaction read only; set local role command_center");
        await tx.query("update public.jobs set enabled = false");
      }),
    ).rejects.toThrow(/read-only transaction/);
  });

  it("does not look at all once it could write", async () => {
    const look = () =>
      db.pg.transaction(async (tx) => {
        await tx.exec("set transaction read only; set local role command_center");
        await requireToLookOnly(async (question, params) =>
          (await tx.query(question, params)).rows
        );
      });
    await db.owner("grant update on public.jobs to command_center");
    await expect(look()).rejects.toThrow("it can write public.jobs");
    await db.owner("revoke update on public.jobs from command_center");
    await db.owner("grant execute on function api.sweep() to command_center");
    await expect(look()).rejects.toThrow("it can call sweep");
    await db.owner("revoke execute on function api.sweep() from command_center");
    await look();
  });

  it("keeps nothing of its own: its schema has views and no table", async () => {
    const kinds = await db.owner<{ relkind: string }>(
      `select distinct c.relkind::text from pg_class c where c.relnamespace = 'command_center'::regnamespace`,
    );
    expect(kinds).toEqual([{ relkind: "v" }]);
    const owners = await db.owner<{ relname: string }>(
      `select c.relname from pg_class c where c.relnamespace = 'command_center'::regnamespace
       and not coalesce('security_invoker=true' = any (c.reloptions), false)`,
    );
    expect(owners).toEqual([]);
  });
});
