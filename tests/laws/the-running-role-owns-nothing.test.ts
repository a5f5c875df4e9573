import { schemaLaw } from "../support/schema-law.ts";

schemaLaw(
  "service_role owns nothing, touches no table and executes commands only",
  `select 'owns ' || c.oid::regclass::text as what from pg_class c
   where c.relowner = 'service_role'::regrole
   union all
   select 'owns ' || p.oid::regprocedure::text from pg_proc p where p.proowner = 'service_role'::regrole
   union all
   select 'owns ' || n.nspname from pg_namespace n where n.nspowner = 'service_role'::regrole
   union all
   select 'touches ' || c.oid::regclass::text from pg_class c
   where c.relnamespace in ('public'::regnamespace, 'api'::regnamespace, 'private'::regnamespace)
     and ((c.relkind in ('r', 'p', 'v', 'm', 'f') and (
         has_table_privilege('service_role', c.oid, 'select, insert, update, delete, truncate, references, trigger')
         or has_any_column_privilege('service_role', c.oid, 'select, insert, update, references')))
       or (c.relkind = 'S' and has_sequence_privilege('service_role', c.oid, 'usage, select, update')))
   union all
   select 'executes ' || p.oid::regprocedure::text from pg_proc p
   where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
     and has_function_privilege('service_role', p.oid, 'execute')
   union all
   select 'is a ' || r.rolname from pg_roles r
   where r.rolname <> 'service_role' and r.rolname in ('auditor', 'administrator', 'migrator', 'postgres')
     and pg_has_role('service_role', r.oid, 'member')`,
  {
    "one writable column": {
      plant: "grant update (status) on public.tasks to service_role",
      found: ["touches tasks"],
    },
    "a sequence": {
      plant: "grant usage on sequence private.task_numbers to service_role",
      found: ["touches private.task_numbers"],
    },
    "a function behind the commands": {
      plant: "grant execute on function private.now() to service_role",
      found: ["executes private.now()"],
    },
    "another role": { plant: "grant administrator to service_role", found: ["is a administrator"] },
    "not one more command": {
      plant:
        `create function api.planted() returns int language sql set search_path = '' as 'select 1';
        grant execute on function api.planted() to service_role`,
      found: [],
    },
  },
);
