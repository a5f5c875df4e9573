-- I14: nobody can do more with a table than the matrix says.
-- The auditor reads, the command center reads what it shows, a signed-in member reads behind row-level security, nobody writes,
-- and nobody from outside has anything in the private schema.
with relation as (
  select c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('public', 'private', 'api') and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not exists (select 1 from pg_catalog.pg_depend d where d.objid = c.oid and d.deptype = 'e')
), matrix (role_name, verb, allowed) as (
  select r.role_name, v.verb, v.verb = 'select' and r.role_name in ('auditor', 'authenticated', 'command_center')
  from unnest(array['anon', 'authenticated', 'service_role', 'auditor', 'administrator', 'command_center']) r(role_name),
    unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) v(verb)
)
select format('%s may %s', m.role_name, m.verb) as finding, format('%s.%s', r.nspname, r.relname) as object
from relation r cross join matrix m
where has_table_privilege(m.role_name, r.oid, m.verb) and not (m.allowed and r.nspname = 'public')
union all
select 'row-level security is off', format('public.%s', r.relname)
from relation r where r.nspname = 'public' and r.relkind in ('r', 'p') and not r.relrowsecurity
union all
select 'a policy lets in more than it should', format('%s on %s', p.policyname, p.tablename)
from pg_catalog.pg_policies p where p.schemaname = 'public' and (p.cmd <> 'SELECT' or (p.qual = 'true' and not p.roles <@ array['auditor', 'command_center']::name[]))
