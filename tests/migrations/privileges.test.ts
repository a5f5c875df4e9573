import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  activate,
  addMember,
  type Answer,
  policy,
  policyText,
  signalAtGate,
} from "../support/line.ts";

let db: TestDatabase;
let tables: string[];
let views: string[];
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  await signalAtGate(db);
  const names = async (kind: string) =>
    (await db.owner<{ name: string }>(
      "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = $1 order by 1",
      [kind],
    )).map(({ name }) => name);
  tables = await names("r");
  views = await names("v");
});
afterAll(() => db.close());

const outsiders = ["anon", "authenticated", "service_role", "auditor", "administrator"];
const denied = { code: "42501" };

describe("tables", () => {
  it.each(outsiders)("refuse every write of %s", async (role) => {
    expect(tables.length).toBeGreaterThan(20);
    for (const table of tables) {
      const [{ column }] = await db.owner<{ column: string }>(
        "select attname as column from pg_attribute where attrelid = ('public.' || $1)::regclass and attnum > 0 and attidentity = '' order by attnum limit 1",
        [table],
      );
      for (
        const sql of [
          `insert into public.${table} default values`,
          `update public.${table} set "${column}" = "${column}"`,
          `delete from public.${table}`,
          `truncate public.${table}`,
        ]
      ) await expect(db.as(role, sql), sql).rejects.toMatchObject(denied);
    }
  });

  it.each(["anon", "service_role", "administrator"])("refuse to be read by %s", async (role) => {
    for (const name of [...tables, ...views]) {
      await expect(db.as(role, `select 1 from public.${name}`), name).rejects.toMatchObject(denied);
    }
  });

  it.each(outsiders)("keep what is private from %s", async (role) => {
    for (
      const sql of [
        "select * from private.pairing_codes",
        "select private.now()",
        "select nextval('private.task_numbers')",
      ]
    ) {
      await expect(db.as(role, sql), sql).rejects.toMatchObject(denied);
    }
  });

  it("are read whole by the auditor", async () => {
    for (const name of [...tables, ...views]) {
      await db.as("auditor", `select * from public.${name}`);
    }
    expect(await db.as("auditor", "select 1 from public.tasks")).toHaveLength(1);
  });

  it("have no sequence that anybody may move", async () => {
    const rows = await db.owner(
      `select c.oid::regclass::text as name, r.rolname from pg_class c, pg_roles r
       where c.relkind = 'S' and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
         and r.rolname = any ($1) and has_sequence_privilege(r.oid, c.oid, 'usage, update')`,
      [outsiders],
    );
    expect(rows).toEqual([]);
  });
});

describe("functions", () => {
  const executable = async (role: string, schema: string) =>
    (await db.owner<{ name: string }>(
      `select distinct p.proname as name from pg_proc p
       where p.pronamespace = $2::regnamespace and has_function_privilege($1, p.oid, 'execute') order by 1`,
      [role, schema],
    )).map(({ name }) => name);

  it.each(outsiders)("of the private schema are executed by nobody, %s included", async (role) => {
    expect(await executable(role, "private")).toEqual([]);
    expect(await executable(role, "public")).toEqual([]);
  });

  it("of the api are granted by name", async () => {
    expect(await executable("anon", "api")).toEqual([]);
    expect(await executable("auditor", "api")).toEqual([]);
    expect(await executable("authenticated", "api")).toEqual(["my_role"]);
    expect(await executable("administrator", "api")).toEqual([
      "acknowledge_alert",
      "activate_policy",
      "add_consumer",
      "add_member",
      "announce_tool_failure",
      "cancel_twin",
      "close_alert",
      "create_order",
      "create_pairing_code",
      "desync_findings",
      "enroll_second_factor",
      "forget",
      "invalidate_retrievals",
      "list_accounts",
      "list_members",
      "list_orders",
      "memory_drift",
      "open_account",
      "override_payment_limit",
      "pause_consumer",
      "propose_policy",
      "purge_memory",
      "rebuild_steps",
      "record_chaos_run",
      "record_kyc_check",
      "record_rotation",
      "record_runbook_step",
      "release_leases",
      "remove_member",
      "remove_second_factor",
      "replan_task",
      "reset_breaker",
      "resolve_dead_letter",
      "resume_consumer",
      "rewind_consumer",
      "runbook_figures",
      "set_account_status",
      "set_flag",
      "set_limits",
      "settle_effect",
      "stop",
      "tighten_timeout",
      "tool_failures",
      "trip_breaker",
    ]);
    const service = await executable("service_role", "api");
    expect(service).toContain("claim_steps");
    // A pause or a resume asks in whose name it is; what is forgotten or read again loses nothing.
    const both = ["forget", "pause_consumer", "resume_consumer", "rewind_consumer"];
    expect((await executable("administrator", "api")).filter((name) => service.includes(name)))
      .toEqual(both);
  });

  it("pin their search path, each of them", async () => {
    expect(
      await db.owner(
        `select p.oid::regprocedure::text as name from pg_proc p where p.pronamespace in ('api'::regnamespace, 'private'::regnamespace)
       and coalesce(array_to_string(p.proconfig, ','), '') !~ 'search_path=""'`,
      ),
    ).toEqual([]);
  });

  it("refuse that service_role activates a policy", async () => {
    await expect(
      db.as("service_role", "select api.activate_policy($1, $2, 'me')", [
        policyText,
        JSON.stringify(policy),
      ]),
    )
      .rejects.toMatchObject(denied);
  });

  it("tell the running role that it can write nothing", async () => {
    expect(await db.database.call<Answer>("runtime_identity")).toMatchObject({
      role: "service_role",
      superuser: false,
      writable_tables: [],
    });
  });
});

describe("signed-in people", () => {
  const olga = "11111111-1111-4111-8111-111111111111";
  const rita = "22222222-2222-4222-8222-222222222222";
  const stranger = "33333333-3333-4333-8333-333333333333";
  const read = (sub: string, table: string) =>
    db.as("authenticated", `select 1 from public.${table}`, [], { sub, role: "authenticated" });

  beforeAll(async () => {
    await db.as("administrator", "select api.add_member($1, 'test')", [
      JSON.stringify({ role: "reviewer", name: "rita", auth_user_id: rita }),
    ]);
    await db.as("administrator", "select api.add_member($1, 'test')", [
      JSON.stringify({ role: "operator", name: "olga-web", auth_user_id: olga, person: "olga" }),
    ]);
  });

  it("see nothing without a member row", async () => {
    for (const table of tables) expect(await read(stranger, table), table).toEqual([]);
  });

  it("see nothing through a role that they gave themselves", async () => {
    const claims = {
      sub: stranger,
      role: "authenticated",
      user_metadata: { role: "owner" },
      app_role: "owner",
    };
    expect(await db.as("authenticated", "select 1 from public.tasks", [], claims)).toEqual([]);
  });

  it.each([
    "tasks",
    "artifacts",
    "audit_logs",
    "evaluations",
    "metrics",
    "approvals",
    "kpi_current",
    "app_users",
    "event_envelopes",
  ])(
    "read %s as a reviewer",
    async (name) => {
      await expect(read(rita, name)).resolves.toBeDefined();
    },
  );

  it("read and do not write, an operator neither", async () => {
    expect(await read(rita, "tasks")).toHaveLength(1);
    expect(await read(olga, "tasks")).toHaveLength(1);
    for (const sub of [rita, olga]) {
      await expect(db.as("authenticated", "update public.tasks set goal = 'x'", [], { sub }))
        .rejects.toMatchObject(denied);
      await expect(db.as("authenticated", "select api.decide()", [], { sub })).rejects.toBeTruthy();
    }
  });

  it("lose access with the statement after their removal", async () => {
    expect(await read(rita, "audit_logs")).not.toEqual([]);
    await db.as("administrator", "select api.remove_member('rita', 'test')");
    for (const table of tables) expect(await read(rita, table), table).toEqual([]);
  });
});
