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

-- Locks a step, and its task before it, if the caller still holds its lease; all null otherwise. Whoever changes a
-- task locks in one order: task, steps, request, effect. Claims wait for nobody, they skip.
create function private.leased_step(p_step_id uuid, p_attempt integer, p_lease_token uuid) returns public.task_steps
language plpgsql set search_path = ''
as $$
declare
  v_step public.task_steps;
begin
  perform 1 from public.tasks t where t.task_id = (select s.task_id from public.task_steps s where s.step_id = p_step_id)
  for no key update;
  select s.* into v_step from public.task_steps s
  where s.step_id = p_step_id and s.status = 'running' and s.attempt = p_attempt and s.lease_token = p_lease_token
  for no key update;
  return v_step;
end
$$;

-- p_seen: what a latecomer saw. It changes nothing, and whoever settles an unknown outcome finds it here.
create function private.refuse_stale(p_step_id uuid, p_action text, p_seen jsonb default '{}') returns jsonb
language sql volatile set search_path = ''
as $$
  select private.refuse('stale_lease', coalesce(s.worker, s.agent, 'worker'), p_action, 'step:' || p_step_id, s.task_id, null,
    jsonb_build_object('step_id', p_step_id, 'status', s.status) || p_seen)
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

create function private.ancestors(p_nodes jsonb, p_id text) returns text[]
language sql immutable set search_path = ''
as $$
  with recursive edges as (
    select n ->> 'id' as id, p as parent from jsonb_array_elements(p_nodes) n, jsonb_array_elements_text(n -> 'after') p
  ), up (id) as (
    select e.parent from edges e where e.id = p_id union select e.parent from up u join edges e on e.id = u.id
  )
  select coalesce(array_agg(u.id), '{}') from up u
$$;

create function private.agent_class_of(p_agent text) returns text
language sql stable set search_path = ''
as $$
  select case when p_agent in ('human', 'orchestrator') then p_agent
    else (select a.agent_class from public.agents a where a.enabled and p_agent in (a.agent_class, a.agent) limit 1) end
$$;

-- Null for anything that is no list of nodes; else every node with class, action and after, whoever waits for
-- nobody waiting for the plan, and the archive at the end where the plan has none.
create function private.complete_nodes(p_nodes jsonb, p_action text) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_nodes jsonb;
begin
  if jsonb_typeof(p_nodes) is distinct from 'array' or jsonb_array_length(p_nodes) not between 1 and 64 or octet_length(p_nodes::text) > 65536
    or exists (select 1 from jsonb_array_elements(p_nodes) n where jsonb_typeof(n) <> 'object'
      or coalesce(n ->> 'id', '') !~ '^[a-z][a-z0-9_-]{0,31}$' or coalesce(n ->> 'agent', '') = ''
      or coalesce(n ->> 'tier', 'T0') not in ('T0', 'T1', 'T2', 'T3')
      or jsonb_typeof(coalesce(n -> 'after', '[]')) not in ('array', 'null')) then
    return null;
  end if;
  select jsonb_agg(jsonb_build_object('id', n ->> 'id', 'class', private.agent_class_of(n ->> 'agent'), 'tier', coalesce(n ->> 'tier', 'T0'),
    -- A node without an action carries the task's where it can act, and reads where it cannot.
    'action', coalesce(n ->> 'action', case when private.agent_class_of(n ->> 'agent') = 'communicator' or n ->> 'id' = 'execute' then p_action else 'READ' end),
    'after', case when n ->> 'id' <> 'plan' and coalesce(nullif(n -> 'after', 'null'), '[]') = '[]' then '["plan"]'
      else coalesce(nullif(n -> 'after', 'null'), '[]') end) order by o)
  into v_nodes from jsonb_array_elements(p_nodes) with ordinality e(n, o);
  if not v_nodes @> '[{"id": "plan"}]' then
    v_nodes := '[{"id": "plan", "class": "planner", "tier": "T0", "action": "READ", "after": []}]'::jsonb || v_nodes;
  end if;
  if not v_nodes @> '[{"class": "orchestrator"}]' then
    v_nodes := v_nodes || jsonb_build_array(jsonb_build_object('id', 'archive', 'class', 'orchestrator', 'tier', 'T0', 'action', 'READ',
      'after', (select jsonb_agg(n -> 'id') from jsonb_array_elements(v_nodes) n
        where not exists (select 1 from jsonb_array_elements(v_nodes) m where m -> 'after' ? (n ->> 'id')))));
  end if;
  return v_nodes;
end
$$;

-- The effect: the one node that can act, carries the task's action and waits for the critic.
create function private.effect_nodes(p_nodes jsonb, p_action text) returns text[]
language sql immutable set search_path = ''
as $$
  select coalesce(array_agg(n ->> 'id'), '{}') from jsonb_array_elements(p_nodes) n
  where n ->> 'class' in ('communicator', 'exec') and n ->> 'action' = p_action
    and exists (select 1 from jsonb_array_elements(p_nodes) c where c ->> 'class' = 'critic' and c ->> 'id' = any (private.ancestors(p_nodes, n ->> 'id')))
$$;

-- p_nodes as completed above. Everything but the archive comes before the effect, the critic before the people:
-- so nothing is left running when an effect is under way, and no path leads around a gate.
create function private.plan_problem(p_nodes jsonb, p_slots text[], p_action text) returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_ids text[] := array(select n ->> 'id' from jsonb_array_elements(p_nodes) n);
  v_effects text[];
  v_archive text;
begin
  if p_nodes is null or cardinality(v_ids) <> (select count(distinct i) from unnest(v_ids) i)
    or exists (select 1 from jsonb_array_elements(p_nodes) n, jsonb_array_elements_text(n -> 'after') p where p is null or p <> all (v_ids)) then
    return 'invalid_plan';
  end if;
  if exists (select 1 from jsonb_array_elements(p_nodes) n where n ->> 'class' is null) then
    return 'unknown_agent';
  end if;
  if private.topological_order(p_nodes) is null then
    return 'cyclic_plan';
  end if;
  v_effects := private.effect_nodes(p_nodes, p_action);
  select n ->> 'id' into v_archive from jsonb_array_elements(p_nodes) n where n ->> 'class' = 'orchestrator';
  if exists (select 1 from (values ('planner'), ('critic'), ('orchestrator')) c(class)
      where (select count(*) from jsonb_array_elements(p_nodes) n where n ->> 'class' = c.class) <> 1)
    or not p_nodes @> '[{"id": "plan", "class": "planner", "after": []}]'
    or cardinality(v_effects) <> 1 or v_effects[1] not in ('publish', 'execute')
    or exists (select 1 from unnest(v_ids) i where i not in (v_archive, v_effects[1]) and i <> all (private.ancestors(p_nodes, v_effects[1])))
    or v_effects[1] <> all (private.ancestors(p_nodes, v_archive))
    -- Nothing but the effect may carry an action that needs people, or speak outside.
    or exists (select 1 from jsonb_array_elements(p_nodes) n where n ->> 'id' <> v_effects[1]
      and (n ->> 'class' = 'communicator' or private.action_tier(n ->> 'action') > 'T1'))
    or (p_slots <> '{}' and (select count(*) from jsonb_array_elements(p_nodes) n where n ->> 'class' = 'human') <> 1)
    or exists (select 1 from jsonb_array_elements(p_nodes) n where n ->> 'class' = 'human' and not exists (
      select 1 from jsonb_array_elements(p_nodes) c where c ->> 'class' = 'critic' and c ->> 'id' = any (private.ancestors(p_nodes, n ->> 'id')))) then
    return 'invalid_plan';
  end if;
  return null;
end
$$;
comment on function private.plan_problem(jsonb, text[], text) is 'The refusal code of a plan, or null for a good one.';

create function api.record_plan(p_step_id uuid, p_attempt integer, p_lease_token uuid, p_plan jsonb, p_policy_sha256 text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_step public.task_steps := private.leased_step(p_step_id, p_attempt, p_lease_token);
  v_task public.tasks;
  v_nodes jsonb;
  v_tier text;
  v_rule private.approval_rule;
  v_problem text := private.policy_problem(p_policy_sha256);
  v_skipped jsonb := '{}';
  v_node jsonb;
  v_waits text[];
  v_skip boolean;
  v_id text;
  v_rows jsonb := '[]';
  v_effects text[];
begin
  if v_step.step_id is null or v_step.agent_class <> 'planner' then
    return private.refuse_stale(p_step_id, 'plan.record');
  end if;
  select t.* into v_task from public.tasks t where t.task_id = v_step.task_id;
  v_nodes := private.complete_nodes(p_plan -> 'nodes', v_task.action);
  v_problem := coalesce(v_problem, case
    when v_nodes is null or octet_length(p_plan::text) > 131072 or length(p_plan ->> 'flow') > 64 then 'invalid_plan'
    when private.action_tier(v_task.action) is null or exists (select 1 from jsonb_array_elements(v_nodes) n
      where private.action_tier(n ->> 'action') is null) then 'unclassified_action' end);
  if v_problem is null then
    select greatest(private.action_tier(v_task.action), max(greatest(private.action_tier(n ->> 'action'), n ->> 'tier')))
    into v_tier from jsonb_array_elements(v_nodes) n;
    v_rule := private.approval_rule(v_tier);
    v_problem := case when v_rule is null then 'policy_invalid' else private.plan_problem(v_nodes, v_rule.slots, v_task.action) end;
  end if;
  if v_problem is not null then
    return private.refuse(v_problem, v_step.agent, 'plan.record', 'task:' || v_task.task_id, v_task.task_id);
  end if;

  v_effects := private.effect_nodes(v_nodes, v_task.action);
  perform private.act_as(v_step.agent, 'plan.record');
  foreach v_id in array private.topological_order(v_nodes) loop
    select n into v_node from jsonb_array_elements(v_nodes) n where n ->> 'id' = v_id;
    v_skip := v_node ->> 'class' = 'human' and v_rule.slots = '{}';
    -- A skipped node hands on what it waited for: publish must still wait for the critic.
    select coalesce(array_agg(distinct w order by w), '{}') into v_waits
    from jsonb_array_elements_text(v_node -> 'after') p, lateral jsonb_array_elements_text(coalesce(v_skipped -> p, jsonb_build_array(p))) w;
    if v_skip then
      v_skipped := v_skipped || jsonb_build_object(v_id, v_waits);
    end if;
    continue when v_id = v_step.node_id;
    v_rows := v_rows || jsonb_build_object('node_id', v_id, 'status', case when v_skip then 'skipped' else 'pending' end,
      'class', v_node ->> 'class', 'action', v_node ->> 'action', 'tier', v_node ->> 'tier', 'after', v_node -> 'after',
      'waits_for', to_jsonb(v_waits));
  end loop;
  -- One statement for all steps: their triggers run once, not once a step.
  insert into public.task_steps (task_id, node_id, status, agent, agent_class, action, tier, is_effect, after, waits_for, pending_parents)
  select v_task.task_id, r.node_id, r.status, coalesce(a.agent, r.class), r.class, r.action, greatest(private.action_tier(r.action), r.tier),
    r.node_id = any (v_effects), r.after, r.waits_for, cardinality(r.waits_for)
  from jsonb_to_recordset(v_rows) as r(node_id text, status text, class text, action text, tier text, after text[], waits_for text[])
  left join public.agents a on a.agent_class = r.class;
  update public.tasks set status = 'planned', risk_tier = v_tier, flow = p_plan ->> 'flow', policy_sha256 = p_policy_sha256
  where task_id = v_task.task_id;
  perform private.emit('TASK_PLANNED', v_task.task_id, v_step.agent, v_task.task_id || ':planned',
    jsonb_build_object('flow', p_plan ->> 'flow', 'risk_tier', v_tier, 'nodes', p_plan -> 'nodes'));
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
