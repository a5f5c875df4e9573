import { schemaLaw } from "../support/schema-law.ts";

schemaLaw(
  "policies are for reading, and only the auditor and the command center read without a condition",
  `select p.tablename || ': ' || p.policyname as what from pg_policies p
   where p.schemaname in ('public', 'api', 'private') and (
     p.cmd <> 'SELECT' or p.with_check is not null
     or (coalesce(p.qual, 'true') ~ '^\\(*true\\)*$' and p.roles not in ('{auditor}', '{command_center}')))`,
  {
    "everyone signed in reads everything": {
      plant: "create policy planted on public.tasks for select to authenticated using (true)",
      found: ["tasks: planted"],
    },
    "the same, wrapped": {
      plant: "create policy planted on public.tasks for select to anon using ((true))",
      found: ["tasks: planted"],
    },
    "a policy to write by": {
      plant:
        "create policy planted on public.tasks for update to authenticated using (actor = 'me') with check (actor = 'me')",
      found: ["tasks: planted"],
    },
    "a policy for everything": {
      plant: "create policy planted on public.tasks to service_role using (true)",
      found: ["tasks: planted"],
    },
    "the command center together with somebody else": {
      plant:
        "create policy planted on public.tasks for select to command_center, authenticated using (true)",
      found: ["tasks: planted"],
    },
    "a policy for the command center to write by": {
      plant:
        "create policy planted on public.tasks for update to command_center using (true) with check (true)",
      found: ["tasks: planted"],
    },
    "not the auditor": {
      plant: "create policy planted on public.tasks for select to auditor using (true)",
      found: [],
    },
  },
);
