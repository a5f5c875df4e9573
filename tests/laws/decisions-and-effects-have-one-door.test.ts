import { schemaLaw } from "../support/schema-law.ts";

// Who writes a decision, a request or an effect: read from the catalog, held against this list. A new writer is a new way to an
// effect, and has to be argued for here before it can be shipped.
const writers = [
  "public.approval_requests by private.ask_anew",
  "public.approval_requests by private.close_requests",
  "public.approval_requests by private.decide",
  "public.approval_requests by private.expire_request",
  "public.approval_requests by private.keep_request",
  "public.approval_requests by private.open_request",
  "public.approval_requests by api.reserve_effect",
  "public.approvals by private.decide",
  "public.effects by api.confirm_effect",
  "public.effects by api.reserve_effect",
  "public.effects by api.start_effect",
  "public.effects by private.close_effect",
  "public.effects by private.end_task",
];

// Who leads there: a command whose body names one of them, at any depth.
const doors = [
  "private.decide from api.decide for service_role",
  "private.decide from api.handle_update for service_role",
  "api.reserve_effect from api.reserve_effect for service_role",
  "api.start_effect from api.start_effect for service_role",
];

const list = (rows: string[]) => rows.map((row) => `('${row}')`).join(", ");

schemaLaw(
  "decisions, requests and effects are written by the functions on the list, reached through the commands on the list, and by no grant",
  `with recursive body as (
     select (n.nspname || '.' || p.proname)::text collate "default" as name, p.oid, p.proacl, lower(p.prosrc) as source
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname in ('api', 'private', 'public')
   ), writer as (
     select distinct t.name || ' by ' || b.name as what from body b, (values ('public.approvals'), ('public.approval_requests'), ('public.effects')) t(name)
     where b.source ~ ('(insert\\s+into|update|delete\\s+from|merge\\s+into)\\s+(only\\s+)?' || replace(t.name, '.', '\\.') || '\\M')
   ), calls as (
     select b.name as caller, c.name as callee from body b join body c on b.name <> c.name
       and b.source ~ ('\\m' || replace(c.name, '.', '\\.') || '\\s*\\(')
   ), leads (target, via) as (
     select t, t from unnest(array['private.decide', 'api.reserve_effect', 'api.start_effect']) t
     union select l.target, c.caller from leads l join calls c on c.callee = l.via
   ), door as (
     select distinct l.target || ' from ' || l.via || ' for ' || r.rolname as what
     from leads l join body b on b.name = l.via, lateral aclexplode(b.proacl) a join pg_roles r on r.oid = a.grantee
     where a.privilege_type = 'EXECUTE' and a.grantee not in (select p.proowner from pg_proc p where p.oid = b.oid)
   ), granted as (
     select g.table_name || ': ' || g.privilege_type || ' for ' || g.grantee as what from information_schema.role_table_grants g
     where g.table_schema = 'public' and g.table_name in ('approvals', 'approval_requests', 'effects') and g.privilege_type <> 'SELECT'
       and g.grantee <> (select pg_get_userbyid(c.relowner) from pg_class c where c.oid = 'public.effects'::regclass)
   )
   select 'unlisted: ' || w.what as what from writer w where w.what not in (select v from (values ${
    list(writers)
  }) l(v))
   union all select 'gone: ' || v from (values ${
    list(writers)
  }) l(v) where v not in (select w.what from writer w)
   union all select 'unlisted: ' || d.what from door d where d.what not in (select v from (values ${
    list(doors)
  }) l(v))
   union all select 'gone: ' || v from (values ${
    list(doors)
  }) l(v) where v not in (select d.what from door d)
   union all select 'granted: ' || g.what from granted g`,
  {
    "a second writer of approvals": {
      plant: `create function private.planted() returns void language sql set search_path = ''
        as 'insert into public.approvals (task_id) values (null)'`,
      found: ["unlisted: public.approvals by private.planted"],
    },
    "a command that leads to a decision": {
      plant:
        `create function api.planted(p jsonb) returns jsonb language plpgsql security definer set search_path = ''
        as 'begin return private.take_update(p, null); end';
        revoke all on function api.planted(jsonb) from public; grant execute on function api.planted(jsonb) to authenticated`,
      found: ["unlisted: private.decide from api.planted for authenticated"],
    },
    "a grant to somebody else": {
      plant:
        "grant execute on function api.reserve_effect(uuid, integer, uuid, text, text, text, jsonb, text) to authenticated",
      found: ["unlisted: api.reserve_effect from api.reserve_effect for authenticated"],
    },
    "a table that can be written directly": {
      plant: "grant update on public.effects to service_role",
      found: ["granted: effects: UPDATE for service_role"],
    },
    "not a function that only reads": {
      plant:
        `create function private.planted() returns bigint language sql stable set search_path = ''
        as 'select count(*) from public.approvals'`,
      found: [],
    },
  },
);
