-- The promise of this file: a claim hands out what is ready with everything its agent needs, in one statement and without waiting.
create or replace function api.claim_steps(p_worker text, p_limit integer default 10, p_agents text[] default null) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_work jsonb;
begin
  perform private.act_as(p_worker, 'step.claim');
  with pick as materialized (
    -- The version that works now is the one on record, whatever was planned.
    select s.step_id, s.task_id, (select t.status from public.tasks t where t.task_id = s.task_id) as task_status,
      (select a.agent from public.agents a where a.agent_class = s.agent_class) as agent
    from public.task_steps s
    where s.status = 'ready' and s.run_at <= v_now and s.agent_class <> 'human'
      and case when p_agents is null then s.agent_class <> 'communicator' else s.agent_class = any (p_agents) end
      and (s.agent_class in ('human', 'orchestrator')
        or exists (select 1 from public.agents a where a.agent_class = s.agent_class and a.enabled))
    order by s.run_at, s.step_id limit least(greatest(p_limit, 1), 100) for no key update skip locked
  ), planned as materialized (
    -- The first claim starts the task. A claim waits for nobody: where the task is locked, the step is left for the next.
    select t.task_id, t.status from public.tasks t where t.task_id in (select p.task_id from pick p where p.task_status = 'planned')
    for no key update skip locked
  ), started as (
    update public.tasks t set status = 'running' from planned p where t.task_id = p.task_id and p.status = 'planned' returning t.task_id
  ), claimed as (
    update public.task_steps s set status = 'running', attempt = s.attempt + 1, worker = p_worker, agent = coalesce(pick.agent, s.agent),
      lease_token = gen_random_uuid(), lease_expires_at = v_now + interval '30 seconds', started_at = coalesce(s.started_at, v_now)
    from pick where s.step_id = pick.step_id and (pick.task_status <> 'planned' or pick.task_id in (select p.task_id from planned p)) returning s.*
  )
  select jsonb_agg(jsonb_build_object('step_id', c.step_id, 'task_id', c.task_id, 'node_id', c.node_id, 'agent', c.agent,
    'agent_class', c.agent_class, 'action', c.action, 'tier', c.tier, 'attempt', c.attempt,
    'is_effect', c.is_effect, 'lease_token', c.lease_token, 'lease_expires_at', private.iso(c.lease_expires_at), 'input_hash', c.input_hash,
    'task', jsonb_build_object('task_id', t.task_id, 'goal', t.goal, 'actor', t.actor, 'action', t.action, 'risk_tier', t.risk_tier,
      'source', t.source, 'flow', t.flow, 'payload', t.payload_json, 'created_at', private.iso(t.created_at)),
    'inputs', private.task_inputs(t.task_id)) order by c.run_at, c.step_id) into v_work
  from claimed c join public.tasks t using (task_id);
  return coalesce(v_work, '[]');
end
$$;
