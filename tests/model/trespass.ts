import type { TestDatabase } from "../support/database.ts";
import type { Base } from "./base.ts";
import type { Outcome } from "./world.ts";

/** A write, or a call, that nobody's role allows; the list is made from the catalog. */
export interface Attempt {
  role: string;
  claims: string;
  sql: string;
}

const tables = [
  "approvals",
  "approval_requests",
  "effects",
  "tasks",
  "task_steps",
  "artifacts",
  "evaluations",
  "audit_logs",
  "events",
  "members",
  "policies",
  "feature_flags",
  "emergency_stops",
  "confirmations",
  "break_glass_grants",
  "signing_keys",
  "limits",
];
const writes = (table: string, column: string): string[] => [
  `insert into public.${table} default values`,
  `update public.${table} set ${column} = ${column}`,
  `delete from public.${table}`,
  `truncate public.${table}`,
];
const moves = [
  "update public.tasks set status = 'archived'",
  "update public.tasks set risk_tier = 'T0'",
  "update public.task_steps set status = 'done', lease_token = null",
  "update public.approval_requests set status = 'approved', closed_at = now()",
  "update public.approval_requests set expires_at = 'infinity'",
  "update public.effects set status = 'confirmed'",
  "update public.feature_flags set enabled = true",
  "update public.emergency_stops set state = 'running'",
  "update public.members set role = 'owner'",
  "update private.second_factors set wrong_at = '{}'",
  "delete from private.second_factors",
  "update private.refusal_codes set code = 'internal'",
];
const catalog = `
  select r.role, format('%I.%I(%s)', n.nspname, p.proname, coalesce((
    select string_agg('null::' || format_type(a.type, null), ', ' order by a.place)
    from unnest(p.proargtypes) with ordinality a(type, place)), '')) as call
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
    unnest(array['anon', 'authenticated', 'service_role', 'auditor', 'administrator']) r(role)
  where p.prokind = 'f' and p.prorettype <> 'trigger'::regtype and n.nspname in ('api', 'private')
    and not (has_schema_privilege(r.role, n.oid, 'usage') and has_function_privilege(r.role, p.oid, 'execute'))
  order by 1, 2`;

export async function trespasses(db: TestDatabase): Promise<Attempt[]> {
  const members = await db.owner<{ id: string }>(
    "select distinct on (role) auth_user_id::text as id from public.members order by role, name",
  );
  const claims = (role: string): string[] =>
    role === "authenticated"
      ? members.map(({ id }) => JSON.stringify({ role, sub: id }))
      : [JSON.stringify({ role })];
  const columns = await db.owner<{ name: string; of: string }>(
    `select distinct on (c.relname) c.relname as of, a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and a.attidentity = '' order by c.relname, a.attnum`,
  );
  const columnOf = (table: string) => columns.find((column) => column.of === table)!.name;
  const roles = ["anon", "authenticated", "service_role", "auditor", "administrator"];
  const written = roles.flatMap((role) =>
    [...tables.flatMap((table) => writes(table, columnOf(table))), ...moves].map((sql) => ({
      role,
      sql,
    }))
  );
  const called = (await db.owner<{ role: string; call: string }>(catalog))
    .map(({ role, call }) => ({ role, sql: `select ${call}` }));
  return [...written, ...called].flatMap(({ role, sql }) =>
    claims(role).map((one) => ({ role, claims: one, sql }))
  );
}

/** 42501 is the answer of the grants: no statement got as far as a row. */
export async function tried(
  { db }: Base,
  all: Attempt[],
  picks: number[],
): Promise<Outcome> {
  const chosen = picks.map((pick) => all[pick % all.length]);
  const { rows } = await db.pg.query<{ found: string[] }>("select model.trespass($1) as found", [
    JSON.stringify(chosen),
  ]);
  const through = chosen.find((_, i) => rows[0].found[i] !== "42501");
  if (through === undefined) return { status: "refused" };
  const state = rows[0].found[chosen.indexOf(through)];
  return { status: `${through.role} got ${state} for: ${through.sql}` };
}
