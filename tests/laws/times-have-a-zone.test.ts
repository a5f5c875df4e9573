import { schemaLaw } from "../support/schema-law.ts";

schemaLaw(
  "no column and no argument is a time without a zone, or money as a float",
  `select a.attrelid::regclass::text || '.' || a.attname || ' ' || format_type(a.atttypid, null) as what
   from pg_attribute a join pg_class c on c.oid = a.attrelid
   where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace, 'api'::regnamespace)
     and c.relkind in ('r', 'p', 'v', 'm') and a.attnum > 0 and not a.attisdropped
     and (a.atttypid in ('timestamp'::regtype, 'timetz'::regtype, 'money'::regtype)
       or (c.relkind in ('r', 'p') and a.atttypid in ('float4'::regtype, 'float8'::regtype)))
   union all
   select p.oid::regprocedure::text from pg_proc p
   where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'api'::regnamespace)
     and ('timestamp'::regtype = any (p.proargtypes) or p.prorettype = 'timestamp'::regtype)
     and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')`,
  {
    "a column": {
      plant: "create table public.planted (id int, at timestamp)",
      found: ["planted.at timestamp without time zone"],
    },
    "a float": {
      plant: "create table private.planted (id int, price float8)",
      found: ["private.planted.price double precision"],
    },
    "an argument": {
      plant:
        `create function api.planted(p timestamp) returns int language sql set search_path = '' as 'select 1'`,
      found: ["api.planted(timestamp without time zone)"],
    },
    "not a time with its zone": {
      plant: "create table public.planted (id int, at timestamptz, price numeric(38, 18))",
      found: [],
    },
  },
);
