-- finds: a role that can do more with these tables and functions than the design gives it.
-- Read: every row is a grant or setting to take back: nobody but the owner writes a table, anon executes nothing, row-level security is on everywhere.
with relation as (
  select c.oid, c.relname, c.relkind, c.relrowsecurity, c.relacl, c.relowner
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'public' and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not exists (select 1 from pg_catalog.pg_depend d where d.objid = c.oid and d.deptype = 'e')
), granted as (
  select r.relname, coalesce(g.rolname, 'public') as grantee, x.privilege_type
  from relation r cross join lateral aclexplode(r.relacl) x
  left join pg_catalog.pg_roles g on g.oid = x.grantee
  where x.grantee <> r.relowner
)
select 'a table has no row-level security' as finding, 'table:' || r.relname as object, null::text as task_id, null::text as detail
from relation r where r.relkind in ('r', 'p') and not r.relrowsecurity
union all
select 'a role may write a table directly', 'table:' || g.relname, null, g.grantee || ': ' || string_agg(g.privilege_type, ', ' order by g.privilege_type)
from granted g where g.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER') group by g.relname, g.grantee
union all
select 'a role may read that should not', 'table:' || g.relname, null, g.grantee
from granted g where g.privilege_type = 'SELECT' and g.grantee not in ('auditor', 'authenticated', 'command_center')
union all
select 'a role may write a column directly', 'table:' || r.relname, null, coalesce(g.rolname, 'public') || ': ' || a.attname
from relation r join pg_catalog.pg_attribute a on a.attrelid = r.oid cross join lateral aclexplode(a.attacl) x
left join pg_catalog.pg_roles g on g.oid = x.grantee
where x.grantee <> r.relowner and x.privilege_type in ('INSERT', 'UPDATE')
union all
select 'a policy lets everybody in', 'table:' || p.tablename, null, p.policyname || ' for ' || p.cmd || ' to ' || array_to_string(p.roles, ', ')
from pg_catalog.pg_policies p where p.schemaname = 'public'
  and (p.cmd <> 'SELECT' or p.qual = 'true' and not p.roles <@ array['auditor', 'command_center']::name[])
union all
select 'a command may be called by anybody', 'function:' || f.oid::regprocedure::text, null, coalesce(g.rolname, 'public')
from pg_catalog.pg_proc f join pg_catalog.pg_namespace n on n.oid = f.pronamespace
cross join lateral aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) x left join pg_catalog.pg_roles g on g.oid = x.grantee
where n.nspname in ('api', 'private') and x.grantee <> f.proowner
  and (coalesce(g.rolname, 'public') in ('public', 'anon') or (n.nspname = 'private'))
union all
select 'a role that should only read or call is more than that', 'role:' || r.rolname, null,
  concat_ws(', ', case when r.rolsuper then 'superuser' end, case when r.rolcreaterole then 'creates roles' end,
    case when r.rolname in ('auditor', 'command_center') and r.rolbypassrls then 'bypasses row-level security' end)
from pg_catalog.pg_roles r where r.rolname in ('auditor', 'command_center', 'administrator', 'service_role', 'authenticated', 'anon')
  and (r.rolsuper or r.rolcreaterole or (r.rolname in ('auditor', 'command_center') and r.rolbypassrls))
order by 1, 2, 4;
