-- The promise of this file: a plan is acyclic, names known agents, and its task's tier is the highest of
-- its steps'. Refuses: stale_lease, policy_not_active, invalid_plan, cyclic_plan, unknown_agent, unclassified_action.

create function private.input_hash(p_task_id text, p_waits_for text[]) returns text
language sql stable set search_path = ''
as $$
  select left(private.sha256_hex(t.payload_json::text || coalesce((
    select string_agg('|' || s.node_id || ':' || a.checksum, '' order by s.node_id collate "C", a.checksum collate "C")
    from public.task_steps s join public.artifacts a on a.step_id = s.step_id
    where s.task_id = p_task_id and s.node_id = any (p_waits_for)), '')), 32)
  from public.tasks t where t.task_id = p_task_id
$$;
comment on function private.input_hash(text, text[]) is
  'sha256 over the request (jsonb keeps keys in one order) and what the awaited steps produced, first 32 hex digits.';

-- Locks a step if the caller still holds its lease; null otherwise.
create function private.leased_step(p_step_id uuid, p_attempt integer, p_lease_token uuid) returns public.task_steps
language sql volatile set search_path = ''
as $$
  select s from public.task_steps s
  where s.step_id = p_step_id and s.status = 'running' and s.attempt = p_attempt and s.lease_token = p_lease_token
  for update
$$;

create function private.refuse_stale(p_step_id uuid, p_action text) returns jsonb
language sql volatile set search_path = ''
as $$
  select private.refuse('stale_lease', coalesce(s.worker, s.agent, 'worker'), p_action, 'step:' || p_step_id, s.task_id, null,
    jsonb_build_object('step_id', p_step_id, 'status', s.status))
  from (select 1) one left join public.task_steps s on s.step_id = p_step_id
$$;

-- Nodes in an order in which every node follows what it waits for; null for a circle.
create function private.topological_order(p_nodes jsonb) returns text[]
language plpgsql immutable set search_path = ''
as $$
declare
  v_order text[] := '{}';
  v_next text[];
begin
  loop
    select array_agg(n ->> 'id' order by n ->> 'id') into v_next
    from jsonb_array_elements(p_nodes) n
    where n ->> 'id' <> all (v_order)
      and not exists (select 1 from jsonb_array_elements_text(coalesce(n -> 'after', '[]')) p where p <> all (v_order));
    exit when v_next is null;
    v_order := v_order || v_next;
  end loop;
  return case when cardinality(v_order) = jsonb_array_length(p_nodes) then v_order end;
end
$$;

create function private.plan_problem(p_nodes jsonb, p_slots text[]) returns text
language plpgsql stable set search_path = ''
as $$
begin
  if jsonb_typeof(p_nodes) is distinct from 'array' or jsonb_array_length(p_nodes) not between 2 and 64 then
    return 'invalid_plan';
  end if;
  if exists (select 1 from jsonb_array_elements(p_nodes) n where coalesce(n ->> 'id', '') !~ '^[a-z][a-z0-9_-]{0,31}$')
    or (select count(distinct n ->> 'id') from jsonb_array_elements(p_nodes) n) <> jsonb_array_length(p_nodes)
    or exists (select 1 from jsonb_array_elements(p_nodes) n, jsonb_array_elements_text(coalesce(n -> 'after', '[]')) p
      where not exists (select 1 from jsonb_array_elements(p_nodes) o where o ->> 'id' = p)) then
    return 'invalid_plan';
  end if;
  if exists (select 1 from jsonb_array_elements(p_nodes) n where n ->> 'agent' not in ('human', 'orchestrator')
    and not exists (select 1 from public.agents a where a.enabled and n ->> 'agent' in (a.agent_class, a.agent))) then
    return 'unknown_agent';
  end if;
  if private.topological_order(p_nodes) is null then
    return 'cyclic_plan';
  end if;
  if not exists (select 1 from jsonb_array_elements(p_nodes) n join public.agents a
      on n ->> 'agent' in (a.agent_class, a.agent) where a.agent_class = 'critic')
    or (p_slots <> '{}' and (select count(*) from jsonb_array_elements(p_nodes) n where n ->> 'agent' = 'human') <> 1) then
    return 'invalid_plan';
  end if;
  return null;
end
$$;
comment on function private.plan_problem(jsonb, text[]) is 'The refusal code of a plan, or null for a good one.';

create function api.record_plan(p_step_id uuid, p_attempt integer, p_lease_token uuid, p_plan jsonb, p_policy_sha256 text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_step public.task_steps := private.leased_step(p_step_id, p_attempt, p_lease_token);
  v_task public.tasks;
  v_nodes jsonb := p_plan -> 'nodes';
  v_tier text;
  v_rule private.approval_rule;
  v_problem text;
  v_parents jsonb := '{}';
  v_node jsonb;
  v_waits text[];
  v_class text;
  v_skip boolean;
  v_id text;
begin
  if v_step.step_id is null or v_step.agent_class <> 'planner' then
    return private.refuse_stale(p_step_id, 'plan.record');
  end if;
  if p_policy_sha256 is distinct from private.active_policy_sha256() then
    return private.refuse('policy_not_active', v_step.agent, 'plan.record', 'task:' || v_step.task_id, v_step.task_id);
  end if;
  select t.* into v_task from public.tasks t where t.task_id = v_step.task_id for update;
  if jsonb_typeof(v_nodes) = 'array' and exists (select 1 from jsonb_array_elements(v_nodes) n
    where private.action_tier(coalesce(n ->> 'action', 'READ')) is null) or private.action_tier(v_task.action) is null then
    return private.refuse('unclassified_action', v_step.agent, 'plan.record', 'task:' || v_task.task_id, v_task.task_id);
  end if;
  if jsonb_typeof(v_nodes) = 'array' then
    select greatest(private.action_tier(v_task.action),
      max(greatest(private.action_tier(coalesce(n ->> 'action', 'READ')), coalesce(n ->> 'tier', 'T0')))) into v_tier
    from jsonb_array_elements(v_nodes) n;
  end if;
  v_rule := private.approval_rule(v_tier);
  v_problem := case when v_rule is null and v_tier is not null then 'policy_invalid' else private.plan_problem(v_nodes, v_rule.slots) end;
  if v_problem is not null then
    return private.refuse(v_problem, v_step.agent, 'plan.record', 'task:' || v_task.task_id, v_task.task_id);
  end if;

  perform private.act_as(v_step.agent, 'plan.record');
  foreach v_id in array private.topological_order(v_nodes) loop
    select n into v_node from jsonb_array_elements(v_nodes) n where n ->> 'id' = v_id;
    v_skip := v_node ->> 'agent' = 'human' and v_rule.slots = '{}';
    -- A skipped node hands on what it waited for: publish must still wait for the critic.
    select coalesce(array_agg(distinct w order by w), '{}') into v_waits
    from jsonb_array_elements_text(coalesce(v_node -> 'after', '[]')) p,
      lateral jsonb_array_elements_text(coalesce(v_parents -> p, jsonb_build_array(p))) w;
    if v_skip then
      v_parents := v_parents || jsonb_build_object(v_id, v_waits);
    end if;
    continue when v_id = v_step.node_id;
    v_class := coalesce((select a.agent_class from public.agents a where v_node ->> 'agent' in (a.agent_class, a.agent)), v_node ->> 'agent');
    insert into public.task_steps (task_id, node_id, status, agent, agent_class, action, tier, after, waits_for, pending_parents)
    values (v_task.task_id, v_id,
      case when v_skip then 'skipped' else 'pending' end,
      coalesce((select a.agent from public.agents a where a.agent_class = v_class), v_class), v_class,
      coalesce(v_node ->> 'action', 'READ'),
      greatest(private.action_tier(coalesce(v_node ->> 'action', 'READ')), coalesce(v_node ->> 'tier', 'T0')),
      array(select jsonb_array_elements_text(coalesce(v_node -> 'after', '[]'))), v_waits, cardinality(v_waits));
  end loop;
  update public.tasks set status = 'planned', risk_tier = v_tier, flow = p_plan ->> 'flow', policy_sha256 = p_policy_sha256
  where task_id = v_task.task_id;
  perform private.emit('TASK_PLANNED', v_task.task_id, v_step.agent, v_task.task_id || ':planned',
    jsonb_build_object('flow', p_plan ->> 'flow', 'risk_tier', v_tier, 'nodes', v_nodes));
  perform private.finish_step(v_step.step_id, jsonb_build_object('artifact', jsonb_build_object('type', 'plan',
    'media_type', 'application/json', 'content', p_plan::text)));
  perform private.advance(array[v_step.step_id]);
  return jsonb_build_object('task_id', v_task.task_id, 'risk_tier', v_tier, 'status', 'planned');
end
$$;
comment on function api.record_plan(uuid, integer, uuid, jsonb, text) is
  'Records the plan of a leased plan step and readies what waits for nobody else. Refuses stale_lease, policy_not_active, policy_invalid, invalid_plan, cyclic_plan, unknown_agent, unclassified_action.';
revoke all on function api.record_plan(uuid, integer, uuid, jsonb, text) from public;
grant execute on function api.record_plan(uuid, integer, uuid, jsonb, text) to service_role;
