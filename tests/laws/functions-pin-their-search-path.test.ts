import { schemaLaw } from "../support/schema-law.ts";

schemaLaw(
  "every function of ours has an empty search_path",
  `select p.oid::regprocedure::text as what from pg_proc p
   where p.pronamespace in ('public'::regnamespace, 'api'::regnamespace, 'private'::regnamespace)
     and p.prokind in ('f', 'p')
     and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')
     and not ('search_path=""' = any (coalesce(p.proconfig, '{}')))`,
  {
    "a function that forgot": {
      plant: "create function api.planted() returns int language sql as 'select 1'",
      found: ["api.planted()"],
    },
    "one that trusts public": {
      plant:
        "create function private.planted() returns int language sql set search_path = public as 'select 1'",
      found: ["private.planted()"],
    },
    "not one that is pinned": {
      plant:
        "create function private.planted() returns int language sql set search_path = '' as 'select 1'",
      found: [],
    },
  },
);
