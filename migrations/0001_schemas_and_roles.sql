-- The promise of this file: nothing in `public` can be reached by default, commands live in `api`,
-- and everything they need lives in `private`. Every running call is service_role, which owns nothing.

create schema api;
create schema private;
comment on schema api is 'Commands: the only way to change anything. Execute is granted by name.';
comment on schema private is 'Transitions, guards, digests and cursors. Nobody from outside.';

create extension if not exists vector with schema extensions;

-- Roles belong to the cluster, so a second database of the same server finds them there.
do $roles$
begin
  if not exists (select 1 from pg_catalog.pg_roles where rolname = 'auditor') then
    create role auditor nologin noinherit;
  end if;
  if not exists (select 1 from pg_catalog.pg_roles where rolname = 'administrator') then
    create role administrator nologin noinherit;
  end if;
  -- Where another login of this server made the roles, only that login may grant them.
  begin
    execute pg_catalog.format('grant auditor, administrator to %I', current_user);
  exception when insufficient_privilege then
    raise notice 'ask the login that made the roles to run: grant auditor, administrator to %', current_user;
  end;
end
$roles$;

-- Supabase grants every new public table to its API roles; here a table is closed until a line opens it.
alter default privileges in schema public revoke all on tables from public, anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from public, anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from public, anon, authenticated, service_role;
alter default privileges revoke execute on functions from public;
revoke all on all tables in schema public from anon, authenticated, service_role;
revoke create on schema public from public;
revoke all on schema private from public;
revoke all on schema api from public;

grant usage on schema public to auditor, authenticated;
grant usage on schema extensions to auditor;
grant usage on schema api to service_role, administrator, authenticated;

create function private.now() returns timestamptz
language sql volatile parallel safe set search_path = ''
as $$ select clock_timestamp() $$;
comment on function private.now() is
  'The only clock. A scratch database may replace it; a law compares this body with the shipped one.';

create function private.iso(p_ts timestamptz) returns text
language sql immutable strict parallel safe set search_path = ''
as $$ select to_char(p_ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;
comment on function private.iso(timestamptz) is 'UTC time with milliseconds, the one text form of a time.';

create table private.refusal_codes (
  code text primary key check (code ~ '^[a-z][a-z0-9_]*$'),
  sqlstate text unique check (sqlstate ~ '^AG[A-Z0-9]{3}$')
);
comment on table private.refusal_codes is
  'The closed list of refusals: the same as in _domain/refusal.ts and docs/errors.md. sqlstate is set where a guard raises it.';

insert into private.refusal_codes (code, sqlstate) values
  ('unauthorized', null), ('forbidden', null), ('not_found', null), ('method_not_allowed', null),
  ('payload_too_large', null), ('unusable_alert', null), ('invalid_request', null), ('invalid_event', null),
  ('unclassified_action', null), ('insufficient_data', null), ('score_out_of_range', null),
  ('cyclic_plan', null), ('unknown_agent', null), ('invalid_plan', null), ('rate_limited', null),
  ('policy_invalid', null), ('policy_not_active', null), ('least_privilege', null), ('unavailable', null),
  ('stale_lease', null), ('illegal_transition', 'AGTRN'), ('history_is_append_only', 'AGHIS'),
  ('archived_is_frozen', 'AGFRZ'), ('tool_denied', null), ('not_a_member', null), ('wrong_role', null),
  ('sender_not_personal', null), ('self_approval', null), ('dual_control_violation', null),
  ('already_decided', null), ('request_closed', null), ('request_expired', null), ('unknown_request', null),
  ('digest_drift', null), ('approval_missing', null), ('evaluation_missing', null), ('critic_rejected', null),
  ('author_is_critic', null), ('t3_execution_disabled', null), ('local_decision', null),
  ('effect_exists', null), ('effect_unknown', null), ('last_owner', null), ('duplicate_member', null),
  ('pairing_failed', null), ('internal', null);

create function private.raise_refusal(p_code text, p_message text, p_hint text) returns void
language plpgsql set search_path = ''
as $$
begin
  raise exception '%: %', p_code, p_message
    using errcode = (select r.sqlstate from private.refusal_codes r where r.code = p_code), hint = p_hint;
end
$$;
comment on function private.raise_refusal(text, text, text) is
  'Raises a named code. Only guards on direct writes raise; commands refuse with a value.';

create table private.day_bases (
  kind text not null,
  day date not null,
  base bigint not null,
  primary key (kind, day)
);
comment on table private.day_bases is 'The sequence value before the first number of a day, per kind of number.';

create sequence private.task_numbers;
create sequence private.request_numbers;

create function private.next_number(p_kind text, p_sequence regclass, p_day date) returns bigint
language plpgsql set search_path = ''
as $$
declare
  v_number bigint;
  v_base bigint;
begin
  -- A counter row would serialise intake; a sequence less the day's base leaves gaps and no lock.
  loop
    v_number := nextval(p_sequence);
    select b.base into v_base from private.day_bases b where b.kind = p_kind and b.day = p_day;
    if v_base is null then
      insert into private.day_bases (kind, day, base) values (p_kind, p_day, v_number - 1)
      on conflict (kind, day) do nothing;
      select b.base into v_base from private.day_bases b where b.kind = p_kind and b.day = p_day;
    end if;
    if v_number > v_base then
      return v_number - v_base;
    end if;
  end loop;
end
$$;

create function private.dated_id(p_prefix text, p_separator text, p_kind text, p_sequence regclass, p_now timestamptz)
returns text
language plpgsql set search_path = ''
as $$
declare
  v_day date := (p_now at time zone 'UTC')::date;
  v_number bigint := private.next_number(p_kind, p_sequence, v_day);
begin
  return p_prefix || '-' || to_char(v_day, 'YYYY' || p_separator || 'MM' || p_separator || 'DD') || '-'
    || case when v_number < 10000 then lpad(v_number::text, 4, '0') else v_number::text end;
end
$$;
comment on function private.dated_id(text, text, text, regclass, timestamptz) is
  'T-2025-09-28-0012 or T2-20250928-0012: UTC day, at least four digits, gaps allowed.';
