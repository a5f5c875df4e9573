-- What Supabase has and a bare Postgres lacks, so that the same migrations run on both and meet the same grants.
-- Never run against Supabase itself. A database that has the schema `auth` is left alone: a second run must not
-- reopen by default privileges what the first migration has closed.

do $platform$
declare
  v_role text;
begin
  -- Roles belong to the cluster: another database of the same server may have made them.
  foreach v_role in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select 1 from pg_catalog.pg_roles where rolname = v_role) then
      execute format('create role %I nologin noinherit', v_role);
    end if;
  end loop;
  if not (select rolbypassrls from pg_catalog.pg_roles where rolname = 'service_role') then
    alter role service_role bypassrls;
  end if;
  if not exists (select 1 from pg_catalog.pg_roles where rolname = 'authenticator') then
    create role authenticator login noinherit;
  end if;
  grant anon, authenticated, service_role to authenticator;

  if exists (select 1 from pg_catalog.pg_namespace where nspname = 'auth') then
    return;
  end if;

  create schema auth;
  create schema extensions;
  grant usage on schema auth, extensions, public to anon, authenticated, service_role;

  create table auth.users (id uuid primary key default gen_random_uuid(), email text, created_at timestamptz default now());

  -- PostgREST puts the verified claims of a request into this setting; without a request there is nobody.
  create function auth.jwt() returns jsonb language sql stable set search_path = '' as
    'select nullif(current_setting(''request.jwt.claims'', true), '''')::jsonb';
  create function auth.uid() returns uuid language sql stable set search_path = '' as
    'select (auth.jwt() ->> ''sub'')::uuid';
  create function auth.role() returns text language sql stable set search_path = '' as
    'select auth.jwt() ->> ''role''';

  -- Supabase grants every new public object to its API roles. The first migration takes this back, and is seen to.
  alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
  alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
  alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
end
$platform$;
