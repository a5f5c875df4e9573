import { schemaLaw } from "../support/schema-law.ts";

schemaLaw(
  "row-level security is on for every table that can be reached, partitions included",
  `select c.oid::regclass::text as what from pg_class c
   where c.relnamespace in ('public'::regnamespace, 'api'::regnamespace) and c.relkind in ('r', 'p', 'f')
     and not c.relrowsecurity`,
  {
    "a table": { plant: "create table public.planted (id int primary key)", found: ["planted"] },
    "a partition of a protected table": {
      plant: `create table public.planted (id int) partition by range (id);
        alter table public.planted enable row level security;
        create table public.planted_1 partition of public.planted for values from (1) to (2)`,
      found: ["planted_1"],
    },
    "a table among the commands": {
      plant: "create table api.planted (id int primary key)",
      found: ["api.planted"],
    },
    "not a table that has it on": {
      plant:
        "create table public.planted (id int); alter table public.planted enable row level security",
      found: [],
    },
  },
);
