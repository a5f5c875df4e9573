-- On Supabase the role that migrates is no superuser. This makes one like it, after platform.sql, so that tests
-- find a migration that only a superuser could run. The caller gives it a password, or none behind a trusted socket.

do $migrator$
begin
  if not exists (select 1 from pg_catalog.pg_roles where rolname = 'migrator') then
    create role migrator login createrole createdb bypassrls;
  end if;
  grant anon, authenticated, service_role to migrator with admin option;
  execute format('grant create on database %I to migrator', current_database());
  alter schema public owner to migrator;
  grant usage, create on schema extensions to migrator;
  grant usage on schema auth to migrator;
  grant references, select on auth.users to migrator;
  alter default privileges for role migrator in schema public grant all on tables to anon, authenticated, service_role;
  alter default privileges for role migrator in schema public grant all on sequences to anon, authenticated, service_role;
  alter default privileges for role migrator in schema public grant all on functions to anon, authenticated, service_role;
end
$migrator$;
