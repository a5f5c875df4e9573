-- The promise of this file: a claim hands out what is ready, oldest first, with everything its agent needs, and waits for
-- nobody; it costs the same whatever waits behind, runs, or is planned for later. Refuses: nothing.

-- Which classes a claim may take: those that were asked for, or all but the communicator's, as far as they are enabled.
create function private.claimable_classes(p_agents text[]) returns text[]
language plpgsql stable set search_path = ''
as $$
begin
  return (select coalesce(array_agg(c.agent_class), '{}') from (
      select a.agent_class from public.agents a where a.enabled and a.agent_class not in ('human', 'orchestrator')
      union all select 'orchestrator') c
    where case when p_agents is null then c.agent_class <> 'communicator' else c.agent_class = any (p_agents) end);
end
$$;

create or replace function api.claim_steps(p_worker text, p_limit integer default 10, p_agents text[] default null) returns jsonb
language plpgsql security definer set search_path = '' set plan_cache_mode = force_generic_plan set jit = off
  set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_nestloop = on
as $$
declare
  v_now timestamptz := private.now();
  v_limit integer := least(greatest(p_limit, 1), 100);
  v_classes text[] := private.claimable_classes(p_agents);
  -- Rows that a long transaction keeps from being removed stand at the front of the queue. Whoever had to walk over them
  -- remembers for five seconds where the work began; then somebody looks from the beginning again.
  v_place text[] := string_to_array(current_setting('dags.claimed_from', true), '|');
  v_since timestamptz := '-infinity';
  v_oldest timestamptz;
  v_steps uuid[];
  v_planned text[];
  v_started text[];
  v_work jsonb;
begin
  if private.consumer_is_paused(case when p_agents <@ array['communicator'] and p_agents <> '{}' then 'communicator' else 'orchestrator' end) then
    return '[]';
  end if;
  if cardinality(v_place) = 3 and v_place[1] = v_classes::text and v_place[2]::timestamptz between v_now - interval '5 seconds' and v_now then
    v_since := v_place[3]::timestamptz;
  end if;
  perform private.act_as(p_worker, 'step.claim');
  select array_agg(p.step_id), array_agg(distinct p.task_id) filter (where p.task_status = 'planned') into v_steps, v_planned
  from (
    select s.step_id, s.task_id, (select t.status from public.tasks t where t.task_id = s.task_id) as task_status
    from (
      -- Class by class, so that nobody walks over what is another's; beyond the limit, since what others hold is skipped.
      select r.* from unnest(v_classes) c cross join lateral (
        select q.run_at, q.step_id from private.ready_steps q where q.agent_class = c and q.run_at between v_since and v_now
        order by q.run_at, q.step_id limit v_limit * 4 + 28) r
      order by r.run_at, r.step_id offset 0
    ) d join public.task_steps s on s.step_id = d.step_id
    where s.status = 'ready' and s.run_at <= v_now
    order by d.run_at, d.step_id limit v_limit for no key update of s skip locked
  ) p;
  -- A statement of its own for each part: the triggers of one that changes nothing run all the same.
  if v_planned is not null then
    -- The first claim starts the task. Where somebody holds the task, the step is left for the next claim.
    with planned as materialized (
      select l.task_id, l.status from unnest(v_planned) u(task_id)
      cross join lateral (select t.task_id, t.status from public.tasks t where t.task_id = u.task_id for no key update skip locked) l
    ), started as (
      update public.tasks t set status = 'running' from planned p where t.task_id = p.task_id and p.status = 'planned'
    )
    select array_agg(p.task_id) into v_started from planned p;
    select array_agg(s.step_id) into v_steps from public.task_steps s
    where s.step_id = any (v_steps) and (s.task_id <> all (v_planned) or s.task_id = any (v_started));
  end if;
  if v_steps is not null then
    with claimed as (
      -- The version that works now is the one on record, whatever was planned.
      update public.task_steps s set status = 'running', attempt = s.attempt + 1, worker = p_worker,
        agent = coalesce((select a.agent from public.agents a where a.agent_class = s.agent_class), s.agent),
        lease_token = gen_random_uuid(), lease_expires_at = v_now + interval '30 seconds', started_at = coalesce(s.started_at, v_now)
      where s.step_id = any (v_steps) returning s.*
    )
    select jsonb_agg(jsonb_build_object('step_id', c.step_id, 'task_id', c.task_id, 'node_id', c.node_id, 'agent', c.agent,
      'agent_class', c.agent_class, 'action', c.action, 'tier', c.tier, 'attempt', c.attempt,
      'is_effect', c.is_effect, 'lease_token', c.lease_token, 'lease_expires_at', private.iso(c.lease_expires_at), 'input_hash', c.input_hash,
      'task', jsonb_build_object('task_id', t.task_id, 'goal', t.goal, 'actor', t.actor, 'action', t.action, 'risk_tier', t.risk_tier,
        'source', t.source, 'flow', t.flow, 'payload', t.payload_json, 'created_at', private.iso(t.created_at)),
      'inputs', private.task_inputs(t.task_id)) order by c.run_at, c.step_id), min(c.run_at) into v_work, v_oldest
    from claimed c join public.tasks t using (task_id);
  end if;
  if v_since = '-infinity' and private.now() - v_now > interval '10 milliseconds' then
    perform set_config('dags.claimed_from', concat_ws('|', v_classes::text, v_now::text,
      least(v_oldest, v_now - interval '1 second')::text), false);
  end if;
  return coalesce(v_work, '[]');
end
$$;
comment on function api.claim_steps(text, integer, text[]) is
  'Leases ready steps for 30 seconds, oldest first, with everything their agents need. Without p_agents: all but the communicator''s. A step of an agent that is not enabled is never dispatched; a paused consumer is handed nothing.';
