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

-- Null for an action that the policy does not name: unknown is refused, never T0. Named twice, the stricter counts.
create function private.action_tier(p_action text) returns text
language sql stable set search_path = ''
as $$
  select greatest(
    (select max(t.key) from public.policies p, jsonb_each(p.body -> 'risk_tiers') t
      where p.status = 'active' and t.value ? p_action),
    (select p.body #>> array['platform_actions', p_action, 'tier'] from public.policies p where p.status = 'active'))
$$;
comment on function private.action_tier(text) is 'The tier of an action in the active policy, or null.';

create type private.approval_rule as (min_score numeric, slots text[], dry_run boolean);

-- The grammar: critic>=0.8, operator_approval, owner_approval, dry_run_required. An unknown token yields no
-- rule at all, and no rule refuses.
create function private.rule_of(p_body jsonb, p_tier text) returns private.approval_rule
language plpgsql immutable set search_path = ''
as $$
declare
  v_tokens jsonb := coalesce(p_body -> 'approvals' -> p_tier, '[]');
  v_token text;
  v_thresholds integer := 0;
  v_rule private.approval_rule;
begin
  if p_tier is null or p_tier not in ('T0', 'T1', 'T2', 'T3') or jsonb_typeof(v_tokens) <> 'array'
    or coalesce(p_body #>> '{rubric,pass_total}', '') !~ '^[789](\.0+)?$' then
    return null;
  end if;
  v_rule := row(round((p_body #>> '{rubric,pass_total}')::numeric / 9, 4), '{}'::text[], false);
  for v_token in select jsonb_array_elements_text(v_tokens) loop
    -- As many decimals as a score has: a finer threshold could never be met exactly.
    if v_token ~ '^critic>=(0(\.[0-9]{1,4})?|1(\.0{1,4})?)$' and v_thresholds = 0 then
      v_thresholds := 1;
      v_rule.min_score := greatest(v_rule.min_score, substr(v_token, 9)::numeric);
    elsif v_token in ('operator_approval', 'owner_approval') and v_token <> all (v_rule.slots) then
      v_rule.slots := v_rule.slots || v_token;
    elsif v_token = 'dry_run_required' and not v_rule.dry_run then
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

create function private.approval_rule(p_tier text) returns private.approval_rule
language sql stable set search_path = ''
as $$ select private.rule_of(p.body, p_tier) from public.policies p where p.status = 'active' $$;
comment on function private.approval_rule(text) is
  'What a tier asks for: score at least, approval slots, a dry run. Null where the policy is missing or unreadable.';

-- Null when the caller's policy is the active one. Two missing policies are not the same policy.
create function private.policy_problem(p_policy_sha256 text) returns text
language sql stable set search_path = ''
as $$
  select case
    when p_policy_sha256 is null or private.active_policy_sha256() is null then 'policy_invalid'
    when p_policy_sha256 <> private.active_policy_sha256() then 'policy_not_active'
  end
$$;

-- Which member roles fill a slot. A reviewer decides nothing, whatever a policy says.
create function private.slot_roles(p_slot text) returns text[]
language sql stable set search_path = ''
as $$
  select coalesce(array_agg(r), '{}') from public.policies p,
    jsonb_array_elements_text(coalesce(p.body -> 'roles' -> p_slot, '[]')) r where p.status = 'active' and r in ('owner', 'operator')
$$;

-- Why a parsed policy cannot be the active one, or null. The grammar was checked before; here is what SQL relies on.
create function private.policy_body_problem(p_body jsonb) returns text
language sql immutable set search_path = ''
as $$
  select case
    when jsonb_typeof(p_body -> 'risk_tiers') is distinct from 'object' or jsonb_typeof(p_body -> 'approvals') is distinct from 'object'
      or jsonb_typeof(p_body -> 'agents') is distinct from 'object' then 'The parsed policy has no risk_tiers, approvals or agents.'
    when coalesce(p_body ->> 'version', '') !~ '^[1-9][0-9]{0,8}$' then 'The version is no whole number.'
    when exists (select 1 from jsonb_each(p_body -> 'risk_tiers') t
      where t.key not in ('T0', 'T1', 'T2', 'T3') or jsonb_typeof(t.value) <> 'array') then 'risk_tiers holds lists for T0 to T3.'
    when exists (select 1 from jsonb_each(case when jsonb_typeof(p_body -> 'platform_actions') = 'object' then p_body -> 'platform_actions' else '{}' end) a
      where coalesce(a.value ->> 'tier', '') not in ('T0', 'T1', 'T2', 'T3')) then 'A platform action has no tier.'
    when exists (select 1 from unnest(array['T0', 'T1', 'T2', 'T3']) t where private.rule_of(p_body, t) is null)
      then 'An approval rule cannot be read, or T2 or T3 asks nobody.'
    when exists (select 1 from jsonb_each(p_body -> 'agents') g where jsonb_typeof(g.value) <> 'string') then 'An agent has no version.'
    when (select count(*) <> count(distinct g.value) from jsonb_each(p_body -> 'agents') g) then 'Two agents share one version.'
  end
$$;

create function api.activate_policy(p_text text, p_body jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_sha text := private.sha256_hex(p_text);
  v_optional jsonb := case when jsonb_typeof(p_body -> 'optional_agents') = 'object' then p_body -> 'optional_agents' else '{}' end;
  v_body jsonb := p_body || jsonb_build_object('agents', p_body -> 'agents' || jsonb_strip_nulls(v_optional));
  v_agents jsonb := v_body -> 'agents';
  v_problem text := coalesce(private.policy_body_problem(p_body), private.policy_body_problem(v_body));
begin
  if v_sha is null or v_problem is not null then
    return private.refuse('policy_invalid', p_actor, 'policy.activate', 'policy:' || v_sha, null, coalesce(v_problem, 'There is no text.'));
  end if;
  lock table public.policies in share row exclusive mode;
  if v_sha = private.active_policy_sha256() then
    return jsonb_build_object('policy_sha256', v_sha, 'status', 'active', 'changed', false);
  end if;
  perform private.act_as(p_actor, 'policy.activate');
  update public.policies set status = 'retired' where status = 'active';
  insert into public.policies (policy_sha256, version, policy_text, body, activated_by)
  values (v_sha, (p_body ->> 'version')::integer, p_text, p_body, coalesce(p_actor, 'administrator'))
  on conflict (policy_sha256) do update
    set status = 'active', body = excluded.body, activated_at = private.now(), activated_by = excluded.activated_by;
  -- Versions are free before they are given out: two classes may trade theirs.
  update public.agents a set enabled = false, agent = null, updated_at = private.now()
  where a.agent is distinct from v_agents ->> a.agent_class and (a.enabled or a.agent is not null);
  insert into public.agents (agent_class, agent, tools, secrets_scope, enabled)
  select g.key, g.value #>> '{}', coalesce((select array_agg(t) from jsonb_array_elements_text(p_body -> 'tools' -> g.key) t), '{}'),
    g.key, true
  from jsonb_each(v_agents) g
  on conflict (agent_class) do update
    set agent = excluded.agent, tools = excluded.tools, enabled = true, updated_at = private.now();
  -- Registered without a version: known, and never dispatched.
  insert into public.agents (agent_class, agent, enabled) select o.key, null, false from jsonb_each(v_optional) o where o.value = 'null'
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
