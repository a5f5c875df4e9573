-- The promise of this file: tiers, thresholds and rosters come from one active row, so no stale function
-- can be laxer than the database. Functions never write that row.

create table public.policies (
  policy_sha256 text primary key check (policy_sha256 ~ '^[0-9a-f]{64}$'),
  version integer not null,
  policy_text text not null,
  body jsonb not null,
  status text not null default 'active',
  activated_at timestamptz not null default private.now(),
  activated_by text not null,
  constraint policy_status_is_known check (status in ('active', 'retired'))
);
comment on table public.policies is 'Every policy that was ever active, as text and parsed; exactly one is active.';
create unique index policies_one_active on public.policies (status) where status = 'active';

create table public.agents (
  agent_class text primary key,
  agent text,
  tools text[] not null default '{}',
  secrets_scope text not null default 'none',
  enabled boolean not null,
  updated_at timestamptz not null default private.now(),
  constraint enabled_needs_a_version check (not enabled or agent is not null)
);
comment on table public.agents is 'The agent registry: class, name:version, tools, whether it may be dispatched.';
create unique index agents_by_version on public.agents (agent) where agent is not null;

create function private.active_policy() returns public.policies
language sql stable set search_path = ''
as $$ select p from public.policies p where p.status = 'active' $$;

create function private.active_policy_sha256() returns text
language sql stable set search_path = ''
as $$ select p.policy_sha256 from public.policies p where p.status = 'active' $$;

create function private.policy_value(variadic p_path text[]) returns jsonb
language sql stable set search_path = ''
as $$ select p.body #> p_path from public.policies p where p.status = 'active' $$;

create function private.policy_number(p_default numeric, variadic p_path text[]) returns numeric
language sql stable set search_path = ''
as $$ select coalesce((select (p.body #>> p_path)::numeric from public.policies p where p.status = 'active'), p_default) $$;

-- Null for an action that the policy does not name: unknown is refused, never T0.
create function private.action_tier(p_action text) returns text
language sql stable set search_path = ''
as $$
  select coalesce(
    (select t.key from public.policies p, jsonb_each(p.body -> 'risk_tiers') t
      where p.status = 'active' and t.value ? p_action limit 1),
    (select p.body #>> array['platform_actions', p_action, 'tier'] from public.policies p where p.status = 'active'))
$$;
comment on function private.action_tier(text) is 'The tier of an action in the active policy, or null.';

create type private.approval_rule as (min_score numeric, slots text[], dry_run boolean);

-- The grammar: critic>=0.8, operator_approval, owner_approval, dry_run_required. An unknown token yields no
-- rule at all, and no rule refuses.
create function private.approval_rule(p_tier text) returns private.approval_rule
language plpgsql stable set search_path = ''
as $$
declare
  v_body jsonb;
  v_token text;
  v_rule private.approval_rule;
begin
  select p.body into v_body from public.policies p where p.status = 'active';
  if v_body is null then
    return null;
  end if;
  v_rule := row(round((v_body #>> '{rubric,pass_total}')::numeric / 9, 4), '{}'::text[], false);
  for v_token in select jsonb_array_elements_text(coalesce(v_body -> 'approvals' -> p_tier, '[]')) loop
    if v_token ~ '^critic>=[01](\.[0-9]+)?$' then
      v_rule.min_score := greatest(v_rule.min_score, substr(v_token, 9)::numeric);
    elsif v_token in ('operator_approval', 'owner_approval') then
      v_rule.slots := v_rule.slots || v_token;
    elsif v_token = 'dry_run_required' then
      v_rule.dry_run := true;
    else
      return null;
    end if;
  end loop;
  if p_tier in ('T2', 'T3') and v_rule.slots = '{}' then
    return null;
  end if;
  return v_rule;
end
$$;
comment on function private.approval_rule(text) is
  'What a tier asks for: score at least, approval slots, a dry run. Null where the policy is missing or unreadable.';

-- Which member roles fill a slot.
create function private.slot_roles(p_slot text) returns text[]
language sql stable set search_path = ''
as $$
  select coalesce(array_agg(r), '{}') from public.policies p,
    jsonb_array_elements_text(coalesce(p.body -> 'roles' -> p_slot, '[]')) r where p.status = 'active'
$$;

create function api.activate_policy(p_text text, p_body jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_sha text := private.sha256_hex(p_text);
begin
  if jsonb_typeof(p_body -> 'risk_tiers') is distinct from 'object'
    or jsonb_typeof(p_body -> 'approvals') is distinct from 'object'
    or jsonb_typeof(p_body -> 'agents') is distinct from 'object' then
    return private.refuse('policy_invalid', p_actor, 'policy.activate', 'policy:' || v_sha, null,
      'The parsed policy has no risk_tiers, approvals or agents.');
  end if;
  lock table public.policies in share row exclusive mode;
  if v_sha = private.active_policy_sha256() then
    return jsonb_build_object('policy_sha256', v_sha, 'status', 'active', 'changed', false);
  end if;
  perform private.act_as(p_actor, 'policy.activate');
  update public.policies set status = 'retired' where status = 'active';
  insert into public.policies (policy_sha256, version, policy_text, body, activated_by)
  values (v_sha, (p_body ->> 'version')::integer, p_text, p_body, p_actor)
  on conflict (policy_sha256) do update
    set status = 'active', body = excluded.body, activated_at = private.now(), activated_by = excluded.activated_by;
  update public.agents a set enabled = false, updated_at = private.now()
  where a.enabled and not p_body -> 'agents' ? a.agent_class;
  insert into public.agents (agent_class, agent, tools, secrets_scope, enabled)
  select g.key, g.value #>> '{}', coalesce((select array_agg(t) from jsonb_array_elements_text(p_body -> 'tools' -> g.key) t), '{}'),
    g.key, true
  from jsonb_each(p_body -> 'agents') g
  on conflict (agent_class) do update
    set agent = excluded.agent, tools = excluded.tools, enabled = true, updated_at = private.now();
  insert into public.agents (agent_class, agent, enabled) values ('etl', null, false)
  on conflict (agent_class) do nothing;
  return jsonb_build_object('policy_sha256', v_sha, 'status', 'active', 'changed', true);
end
$$;
comment on function api.activate_policy(text, jsonb, text) is
  'Makes a checked policy the active one and fills the agent registry. Refuses policy_invalid. Administrator only.';
revoke all on function api.activate_policy(text, jsonb, text) from public;
grant execute on function api.activate_policy(text, jsonb, text) to administrator;

select private.close_table('public.policies');
select private.close_table('public.agents');
select private.audit('public.policies', 'policy', 'policy_sha256');
select private.audit('public.agents', 'agent', 'agent_class');
