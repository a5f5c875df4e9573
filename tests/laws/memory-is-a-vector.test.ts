import { schemaLaw } from "../support/schema-law.ts";

schemaLaw(
  "the memory is a vector column, and a command searches it by distance",
  `select 'no vector column' as what where not exists (
     select 1 from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not a.attisdropped
       and format_type(a.atttypid, null) in ('vector', 'extensions.vector'))
   union all
   select 'no search by distance' where not exists (
     select 1 from pg_proc p where p.pronamespace = 'api'::regnamespace and p.prosrc like '%<=>%')`,
  {
    "the column becomes text": {
      plant: `do $$ declare r record; begin
        for r in select a.attrelid::regclass as tab, a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
          where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and not a.attisdropped
            and format_type(a.atttypid, null) in ('vector', 'extensions.vector') loop
          execute format('alter table %s drop column %I cascade', r.tab, r.attname);
        end loop; end $$`,
      found: ["no vector column"],
    },
    "nobody searches": {
      plant: "drop function api.search_chunks",
      found: ["no search by distance"],
    },
  },
);
