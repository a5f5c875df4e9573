import { schemaLaw } from "../support/schema-law.ts";

// A scratch database may replace the clock; the shipped one is this body and no other. The second half keeps everything
// else from looking at another clock.
schemaLaw(
  "private.now() is the only clock, and ships as the real one",
  `select 'the clock reads: ' || btrim(p.prosrc) as what from pg_proc p
   where p.oid = 'private.now()'::regprocedure
     and (btrim(p.prosrc) <> 'select clock_timestamp()' or p.provolatile <> 'v' or p.prolang <> (select oid from pg_language where lanname = 'sql'))
   union all
   select p.oid::regprocedure::text from pg_proc p
   where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'api'::regnamespace)
     and p.oid <> 'private.now()'::regprocedure
     and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')
     and p.prosrc ~* '(^|[^._a-z])(pg_catalog\\.)?(now\\(\\)|current_timestamp|current_date|localtimestamp|clock_timestamp|statement_timestamp|transaction_timestamp)'`,
  {
    "a clock that stands still": {
      plant:
        `create or replace function private.now() returns timestamptz language sql volatile set search_path = '' as $$ select timestamptz '2025-09-28 00:00Z' $$`,
      found: ["the clock reads: select timestamptz '2025-09-28 00:00Z'"],
    },
    "another clock": {
      plant:
        "create function private.planted() returns timestamptz language sql set search_path = '' as 'select now()'",
      found: ["private.planted()"],
    },
    "not the clock itself": {
      plant:
        "create function private.planted() returns timestamptz language sql set search_path = '' as 'select private.now()'",
      found: [],
    },
  },
);
