import { expect } from "vitest";
import { all, forbids, type Guard, type Removal, replace, statement } from "./guard.ts";
import { type House, one, signal } from "./house.ts";

const denied = "42501";
const stranger = { sub: "33333333-3333-4333-8333-333333333333", role: "authenticated" };
const roles = ["anon", "authenticated", "service_role", "auditor", "administrator"];

const tables = (house: House) =>
  house.owner<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1",
  );

/** A grant alone opens nothing: what a statement sets off runs with the rights of who made it. */
const opened = (grant: string, role: string): Removal =>
  all(
    statement(`grant ${grant} to ${role}`),
    statement(`grant usage on schema private to ${role}`),
    statement(`grant execute on all functions in schema private to ${role}`),
    statement(`grant select on all tables in schema private to ${role}`),
    statement(`grant select on all tables in schema public to ${role}`),
    statement(`grant insert on public.audit_logs, public.policy_decisions to ${role}`),
  );

interface Forgery {
  table: string;
  /** What a forger would write; the owner of the tables looks it up for them. */
  values: string;
}

const forgeries: Forgery[] = [
  {
    table: "approvals",
    values:
      `select r.task_id, r.step_id, r.tier, m.name as approver, 'approve' as decision, r.request_id, m.member_id, m.person_id, m.role, r.digest
       from public.approval_requests r, public.members m where r.code = $1 and m.name = 'olga'`,
  },
  {
    table: "effects",
    values:
      `select r.task_id, s.step_id, 'publish' as kind, 'telegram' as channel, r.code as idempotency_key, '{}' as payload_json
       from public.approval_requests r join public.task_steps s using (task_id) where r.code = $1 and s.is_effect`,
  },
  {
    table: "audit_logs",
    values:
      "select r.code as actor, 'x' as action, 'x' as object from public.approval_requests r where r.code = $1",
  },
];

/** No role may write this table by a statement of its own. */
const unwritable = ({ table, values }: Forgery): Guard => ({
  name: `Nobody writes ${table} but the commands (the grant, and the private schema behind it)`,
  promise: "roles",
  test: `an insert into ${table} is refused to every role that can log in`,
  without: opened(`insert on public.${table}`, "service_role"),
  async probe(house) {
    const { code } = await signal(house);
    const [row] = await house.owner(values, [code]);
    const names = Object.keys(row);
    const sql = `insert into public.${table} (${names.join(", ")}) values (${
      names.map((_, i) => `$${i + 1}`).join(", ")
    })`;
    for (const role of roles) await forbids(denied, () => house.as(role, sql, Object.values(row)));
  },
});

export const guardsOfAccess: Guard[] = [
  ...forgeries.map(unwritable),
  {
    name: "Nobody changes a request but the commands (the grant, and the private schema behind it)",
    promise: "roles",
    test: "a request is not made approved by any role that can log in",
    without: opened("update on public.approval_requests", "service_role"),
    async probe(house) {
      const { code } = await signal(house);
      const sql =
        `update public.approval_requests r set status = 'approved', closed_at = requested_at where r.code = $1`;
      for (const role of roles) await forbids(denied, () => house.as(role, sql, [code]));
    },
  },
  {
    name: "The functions' role reads no table",
    promise: "roles",
    test: "every table is closed to the functions' role",
    without: statement("grant select on public.members to service_role"),
    async probe(house) {
      for (const { name } of await tables(house)) {
        await forbids(
          denied,
          () => house.as("service_role", `select 1 from public.${name} limit 1`),
        );
      }
    },
  },
  {
    name: "The auditor reads and does not write (the grant, and the policy for reading behind it)",
    promise: "roles",
    test: "the auditor changes nothing",
    without: all(
      opened("update on public.jobs", "auditor"),
      statement('create policy "planted" on public.jobs for update to auditor using (true)'),
    ),
    async probe(house) {
      for (const { name } of await tables(house)) {
        const column = await one<string>(
          house,
          `select attname as value from pg_attribute where attrelid = ('public.' || $1)::regclass and attnum > 0
             and attidentity = '' and attgenerated = '' and not attisdropped order by attnum limit 1`,
          [name],
        );
        const sql = `update public.${name} set "${column}" = "${column}" where false`;
        await forbids(denied, () => house.as("auditor", sql));
      }
    },
  },
  {
    name: "Whoever is no member reads nothing",
    promise: "roles",
    test: "a signed-in stranger sees no row of any table",
    without: statement("alter table public.members disable row level security"),
    async probe(house) {
      for (const { name } of await tables(house)) {
        const closed = await one<boolean>(
          house,
          "select not has_table_privilege('authenticated', 'public.' || $1, 'select') as value",
          [name],
        );
        if (closed) continue;
        const rows = await house.as(
          "authenticated",
          `select 1 from public.${name} limit 1`,
          [],
          stranger,
        );
        expect(rows, name).toEqual([]);
      }
    },
  },
  {
    name: "A role is what the table of members says",
    promise: "roles",
    test: "a role that somebody claims for themselves opens no row",
    without: replace(
      "api.my_role",
      "select m.role from",
      "select auth.jwt() ->> 'app_role' union all select m.role from",
    ),
    async probe(house) {
      const claims = { ...stranger, app_role: "owner" };
      expect(await house.as("authenticated", "select 1 from public.members", [], claims)).toEqual(
        [],
      );
    },
  },
  {
    name: "What is private is nobody's",
    promise: "roles",
    test: "the functions' role executes nothing of the private schema",
    without: all(
      statement("grant usage on schema private to service_role"),
      statement("grant execute on function private.sha256_hex(text) to service_role"),
    ),
    probe: (house) =>
      forbids(denied, () => house.as("service_role", "select private.sha256_hex('x')")),
  },
  {
    name: "The seeds are nobody's",
    promise: "factor",
    test: "sealed seeds are read by no role that can log in",
    without: all(
      statement("grant usage on schema private to auditor"),
      statement("grant select on private.second_factors to auditor"),
    ),
    async probe(house) {
      for (const role of roles) {
        await forbids(
          denied,
          () => house.as(role, "select ciphertext from private.second_factors"),
        );
      }
    },
  },
  {
    name: "Nobody is anonymous",
    promise: "roles",
    test: "anonymous callers execute no command",
    without: all(
      statement("grant usage on schema api to anon"),
      statement("grant execute on function api.claim_steps(text, integer, text[]) to anon"),
    ),
    probe: (house) => forbids(denied, () => house.as("anon", "select api.claim_steps('x')")),
  },
];
