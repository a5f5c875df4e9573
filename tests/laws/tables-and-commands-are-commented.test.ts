import { schemaLaw } from "../support/schema-law.ts";

schemaLaw(
  "every table, view and command says what it is for",
  `select c.oid::regclass::text as what from pg_class c
   where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm', 'f')
     and not c.relispartition and coalesce(length(obj_description(c.oid, 'pg_class')), 0) < 10
   union all
   select p.oid::regprocedure::text from pg_proc p
   where p.pronamespace = 'api'::regnamespace and coalesce(length(obj_description(p.oid, 'pg_proc')), 0) < 10`,
  {
    "a silent table": {
      plant: "create table private.planted (id int primary key)",
      found: ["private.planted"],
    },
    "a silent view": { plant: "create view public.planted as select 1 as one", found: ["planted"] },
    "a silent command": {
      plant:
        "create function api.planted() returns int language sql set search_path = '' as 'select 1'",
      found: ["api.planted()"],
    },
    "an empty word": {
      plant: "create table public.planted (id int); comment on table public.planted is 'planted'",
      found: ["planted"],
    },
    "not one with a sentence": {
      plant:
        "create table public.planted (id int); comment on table public.planted is 'Planted by a test.'",
      found: [],
    },
  },
);
