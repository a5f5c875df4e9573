-- The promise of this file: the mirror's manifest, limits, flags and people's requests have their tables,
-- closed like every other.

create table public.one_drive_assets (
  object_key text primary key,
  size_bytes bigint check (size_bytes >= 0),
  etag text,
  last_modified timestamptz,
  checksum text,
  synced_at timestamptz not null default private.now()
);
comment on table public.one_drive_assets is 'The manifest of the external mirror, filled by the sync that docs/WRAPPERS_INTEGRATION.md describes; this domain counts keys under dags/.';

create table public.limits (
  account_id text primary key,
  daily_loss_cap numeric(38, 18),
  max_order_size numeric(38, 18),
  currency text check (currency ~ '^[A-Z]{3,10}$'),
  max_drawdown_pct numeric(7, 4),
  max_positions integer,
  max_single_tx_usdt numeric(38, 18),
  cool_down_minutes integer,
  kyc_status text not null default 'unknown',
  updated_at timestamptz not null default private.now(),
  updated_by text not null,
  constraint kyc_status_is_known check (kyc_status in ('unknown', 'pending', 'passed', 'failed')),
  constraint limits_are_not_negative check (least(daily_loss_cap, max_order_size, max_drawdown_pct, max_positions, max_single_tx_usdt, cool_down_minutes) >= 0),
  constraint an_amount_names_its_currency check (coalesce(daily_loss_cap, max_order_size) is null or currency is not null)
);
comment on table public.limits is 'Limits per account; a row may only tighten what the policy says.';

-- A looser row is refused when it is written; the policy may tighten later, so readers take the lesser again.
create function private.refuse_looser_limit() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if new.max_drawdown_pct > private.policy_number(0, 'limits', 'trading', 'max_drawdown_pct')
    or new.max_positions > private.policy_number(0, 'limits', 'trading', 'max_positions')
    or new.max_single_tx_usdt > private.policy_number(0, 'limits', 'payments', 'max_single_tx_usdt')
    or new.cool_down_minutes < private.policy_number(0, 'limits', 'payments', 'cool_down_minutes') then
    raise exception 'a limit of an account may only tighten the policy' using errcode = 'check_violation', constraint = 'limits_only_tighten_the_policy';
  end if;
  return new;
end
$$;
create trigger _100_only_tighten before insert or update on public.limits for each row execute function private.refuse_looser_limit();

create table public.feature_flags (
  key text primary key check (key ~ '^[a-z][a-z0-9_]{0,63}$'),
  enabled boolean not null default false,
  updated_by text not null,
  updated_at timestamptz not null default private.now(),
  reason text not null
);
comment on table public.feature_flags is 'Switches with who, when and why; no secret is ever a flag.';

create function api.set_flag(p_key text, p_enabled boolean, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  if coalesce(p_key, '') !~ '^[a-z][a-z0-9_]{0,63}$' or coalesce(p_reason, '') = '' or p_enabled is null then
    return private.refuse('invalid_request', p_actor, 'flag.set', 'flag:' || left(p_key, 64), null, 'A flag has a lower-case name, on or off, and a reason.');
  end if;
  perform private.act_as(p_actor, 'flag.set');
  insert into public.feature_flags as f (key, enabled, updated_by, reason) values (p_key, p_enabled, coalesce(p_actor, 'administrator'), left(p_reason, 500))
  on conflict (key) do update set enabled = excluded.enabled, updated_by = excluded.updated_by, reason = excluded.reason, updated_at = private.now();
  return jsonb_build_object('key', p_key, 'enabled', p_enabled);
end
$$;
comment on function api.set_flag(text, boolean, text, text) is 'Sets a feature flag, audited. Refuses invalid_request. Administrator only.';
revoke all on function api.set_flag(text, boolean, text, text) from public;
grant execute on function api.set_flag(text, boolean, text, text) to administrator;

create view public.app_users with (security_invoker = true) as
  select m.member_id as user_id, m.auth_user_id, m.telegram_user_id, m.name, m.role, m.status from public.members m;
comment on view public.app_users is 'Members under the name that the console uses; the one table of people is members.';
revoke all on public.app_users from public, anon, authenticated, service_role;
grant select on public.app_users to auditor, authenticated;

create table public.builder_claims (
  claim_id uuid primary key default gen_random_uuid(),
  member_id uuid not null references public.members (member_id),
  builder text not null,
  evidence text,
  status text not null default 'open' check (status in ('open', 'approved', 'rejected')),
  created_at timestamptz not null default private.now()
);
comment on table public.builder_claims is 'Who says they are which builder; decided like every other request.';
create index builder_claims_by_member on public.builder_claims (member_id);

create table public.role_requests (
  role_request_id uuid primary key default gen_random_uuid(),
  member_id uuid not null references public.members (member_id),
  role text not null check (role in ('owner', 'operator', 'reviewer')),
  reason text,
  status text not null default 'open' check (status in ('open', 'approved', 'rejected')),
  created_at timestamptz not null default private.now()
);
comment on table public.role_requests is 'Who asks for which role; decided like every other request.';
create index role_requests_by_member on public.role_requests (member_id);

select private.close_table(t) from unnest(array['public.one_drive_assets', 'public.limits', 'public.feature_flags',
  'public.builder_claims', 'public.role_requests']::regclass[]) t;
select private.allow_members(t, 'owner', 'operator', 'reviewer') from unnest(array['public.one_drive_assets', 'public.limits',
  'public.feature_flags', 'public.builder_claims', 'public.role_requests']::regclass[]) t;
select private.audit('public.limits', 'limit', 'account_id');
select private.audit('public.feature_flags', 'flag', 'key');
select private.audit('public.builder_claims', 'claim', 'claim_id');
select private.audit('public.role_requests', 'role_request', 'role_request_id');
