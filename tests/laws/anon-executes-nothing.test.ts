import { schemaLaw } from "../support/schema-law.ts";

schemaLaw(
  "anon executes no function and reads no table of ours",
  `select p.oid::regprocedure::text as what from pg_proc p
   where p.pronamespace in ('public'::regnamespace, 'api'::regnamespace, 'private'::regnamespace)
     and has_function_privilege('anon', p.oid, 'execute')
   union all
   select c.oid::regclass::text from pg_class c
   where c.relnamespace in ('public'::regnamespace, 'api'::regnamespace, 'private'::regnamespace)
     and c.relkind in ('r', 'p', 'v', 'm', 'f')
     and (has_table_privilege('anon', c.oid, 'select, insert, update, delete, truncate, references, trigger')
       or has_any_column_privilege('anon', c.oid, 'select, insert, update, references'))
   union all
   select n.nspname from pg_namespace n
   where n.nspname in ('api', 'private') and has_schema_privilege('anon', n.oid, 'usage, create')`,
  {
    "a command that everyone may call": {
      plant:
        `create function api.planted() returns int language sql set search_path = '' as 'select 1';
        grant execute on function api.planted() to public`,
      found: ["api.planted()"],
    },
    "a granted command": {
      plant: "grant execute on function api.accept_event(jsonb) to anon",
      found: ["api.accept_event(jsonb)"],
    },
    "one readable column": {
      plant: "grant select (goal) on public.tasks to anon",
      found: ["tasks"],
    },
    "the door to the commands": { plant: "grant usage on schema api to anon", found: ["api"] },
    "not a function made and left alone": {
      plant:
        "create function api.planted() returns int language sql set search_path = '' as 'select 1'",
      found: [],
    },
    "not a table made and left alone, whatever the platform grants by default": {
      plant: "create table public.planted (id int primary key)",
      found: [],
    },
  },
);
