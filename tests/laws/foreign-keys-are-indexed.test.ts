import { schemaLaw } from "../support/schema-law.ts";

schemaLaw(
  "every foreign key has an index that begins with its columns",
  `select k.conrelid::regclass::text || ': ' || k.conname as what from pg_constraint k
   where k.contype = 'f'
     and k.connamespace in ('public'::regnamespace, 'private'::regnamespace, 'api'::regnamespace)
     and not exists (
       select 1 from pg_index i
       where i.indrelid = k.conrelid and i.indisvalid
         and (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)`,
  {
    "a reference without an index": {
      plant:
        "create table public.planted (id int primary key, task_id text, constraint of_a_task foreign key (task_id) references public.tasks)",
      found: ["planted: of_a_task"],
    },
    "an index that begins with another column": {
      plant:
        `create table public.planted (id int primary key, task_id text, constraint of_a_task foreign key (task_id) references public.tasks);
        create index on public.planted (id, task_id)`,
      found: ["planted: of_a_task"],
    },
    "not an indexed one": {
      plant:
        `create table public.planted (id int primary key, task_id text references public.tasks);
        create index on public.planted (task_id, id)`,
      found: [],
    },
  },
);
