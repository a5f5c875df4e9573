import { schemaLaw } from "../support/schema-law.ts";

schemaLaw(
  "functions with their owner's rights live in api or private and are not for PUBLIC",
  `select p.oid::regprocedure::text as what from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')
     and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')
     and (n.nspname not in ('api', 'private')
       or exists (select 1 from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0))`,
  {
    "one in public": {
      plant:
        `create function public.planted() returns int language sql security definer set search_path = '' as 'select 1';
        revoke all on function public.planted() from public`,
      found: ["planted()"],
    },
    "one that everyone may execute": {
      plant:
        `create function api.planted() returns int language sql security definer set search_path = '' as 'select 1';
        grant execute on function api.planted() to public`,
      found: ["api.planted()"],
    },
    "not one granted by name": {
      plant:
        `create function api.planted() returns int language sql security definer set search_path = '' as 'select 1';
        revoke all on function api.planted() from public;
        grant execute on function api.planted() to service_role`,
      found: [],
    },
  },
);
