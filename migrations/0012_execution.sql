-- The promise of this file: a step is completed at most once (state + attempt + lease token fence every
-- write), and what waits for it becomes ready in the same transaction. Refuses: stale_lease, invalid_request.

-- Whether a result can be stored; one that cannot must not take the rest of its batch with it.
create function private.storable(p_result jsonb) returns boolean
language sql immutable set search_path = ''
as $$
  select coalesce(jsonb_typeof(p_result) = 'object'
    and (coalesce(p_result -> 'artifact', 'null') = 'null' or (jsonb_typeof(p_result -> 'artifact') = 'object'
      and p_result #>> '{artifact,type}' ~ '^[a-z][a-z0-9_]{0,31}$' and p_result #>> '{artifact,type}' <> 'post'
      and length(p_result #>> '{artifact,media_type}') between 3 and 100
      and jsonb_typeof(p_result #> '{artifact,content}') = 'string' and octet_length(p_result #>> '{artifact,content}') <= 262144))
    and (coalesce(p_result -> 'post', 'null') = 'null' or (jsonb_typeof(p_result -> 'post') = 'string'
      and p_result -> 'artifact' is not null and length(p_result ->> 'post') between 1 and 16384))
    and (coalesce(p_result -> 'output', 'null') = 'null' or octet_length(p_result ->> 'output') <= 65536)
    and case jsonb_typeof(coalesce(p_result -> 'quality_score', 'null')) when 'null' then true
      when 'number' then (p_result ->> 'quality_score')::numeric between 0 and 1 else false end, false)
$$;

create function private.finish_step(p_step_id uuid, p_result jsonb) returns void
language plpgsql set search_path = ''
as $$
declare
  v_step public.task_steps;
  v_artifact uuid := gen_random_uuid();
  v_ref text;
  v_extra jsonb;
begin
  select s.* into v_step from public.task_steps s where s.step_id = p_step_id;
  -- The first artifact is the step's output; a post is the exact text that would be published.
  for v_extra in
    select p_result -> 'artifact' where jsonb_typeof(p_result -> 'artifact') = 'object'
    union all
    select jsonb_build_object('type', 'post', 'media_type', 'text/plain', 'content', p_result ->> 'post')
    where p_result ->> 'post' is not null
  loop
    if v_extra ->> 'type' <> 'post' then
      v_ref := format('supa://artifacts/%s/%s.%s', v_artifact, v_extra ->> 'type',
        case v_extra ->> 'media_type' when 'application/json' then 'json' else 'txt' end);
    end if;
    insert into public.artifacts (artifact_id, task_id, step_id, type, storage_ref, checksum, agent, media_type, content, created_at)
    select a.id, v_step.task_id, p_step_id, v_extra ->> 'type',
      case when v_extra ->> 'type' = 'post' then format('supa://artifacts/%s/post.txt', a.id) else v_ref end,
      private.sha256_hex(v_extra ->> 'content'), v_step.agent, v_extra ->> 'media_type', v_extra ->> 'content', private.now()
    from (select case when v_extra ->> 'type' = 'post' then gen_random_uuid() else v_artifact end as id) a;
  end loop;
  update public.task_steps s set status = 'done', ended_at = private.now(), output_ref = v_ref,
    output_json = p_result -> 'output', quality_score = coalesce((p_result ->> 'quality_score')::numeric, s.quality_score),
    lease_token = null, lease_expires_at = null
  where s.step_id = p_step_id;
end
$$;

-- After these steps are done: their events, then whoever waited for them. Children are locked in id order
-- before they are read, so that two parents finishing in two sessions are both counted.
create function private.advance(p_steps uuid[]) returns void
language plpgsql set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_ready uuid[];
  v_step uuid;
begin
  insert into public.events (task_id, type, agent, idempotency_key, payload_json)
  select s.task_id, 'STEP_DONE', s.agent, s.task_id || ':' || s.node_id || ':' || s.input_hash,
    jsonb_strip_nulls(jsonb_build_object('inputs_ref', s.input_ref, 'outputs_ref', s.output_ref, 'quality_score', s.quality_score, 'node_id', s.node_id))
  from public.task_steps s where s.step_id = any (p_steps) order by s.step_id
  on conflict (idempotency_key) do nothing;

  -- Whatever ended its task in the meantime has cancelled the children: only pending ones go on.
  perform 1 from public.task_steps c
  where c.status = 'pending' and exists (select 1 from public.task_steps d
    where d.step_id = any (p_steps) and d.task_id = c.task_id and d.node_id = any (c.waits_for))
  order by c.step_id for no key update;

  with freed as (
    select c.step_id, count(*)::integer as parents
    from public.task_steps d join public.task_steps c on c.task_id = d.task_id and d.node_id = any (c.waits_for)
    where d.step_id = any (p_steps) and c.status = 'pending' group by c.step_id
  ), moved as (
    update public.task_steps c set pending_parents = c.pending_parents - f.parents,
      status = case when c.pending_parents = f.parents then 'ready' else 'pending' end,
      run_at = v_now,
      input_ref = case when c.pending_parents = f.parents then format('supa://tasks/%s/%s/inputs.json', c.task_id, c.node_id) end,
      input_hash = case when c.pending_parents = f.parents then private.input_hash(c.task_id, c.waits_for) end
    from freed f where c.step_id = f.step_id
    returning c.step_id, c.status, c.agent_class
  )
  select array_agg(m.step_id) into v_ready from moved m where m.status = 'ready';

  insert into public.events (task_id, type, agent, idempotency_key, payload_json)
  select s.task_id, 'STEP_READY', s.agent, s.task_id || ':' || s.node_id || ':' || s.input_hash || ':ready', jsonb_build_object('node_id', s.node_id)
  from public.task_steps s where s.step_id = any (v_ready) order by s.step_id
  on conflict (idempotency_key) do nothing;

  for v_step in select s.step_id from public.task_steps s where s.step_id = any (v_ready) and s.agent_class = 'human' order by s.step_id loop
    perform private.open_request(v_step);
  end loop;
end
$$;

create function private.end_task(p_task_id text, p_status text, p_reason text) returns void
language plpgsql set search_path = ''
as $$
declare
  v_task public.tasks;
begin
  update public.task_steps s set status = 'cancelled', ended_at = private.now(), lease_token = null, lease_expires_at = null
  where s.task_id = p_task_id and s.status in ('pending', 'ready', 'running', 'awaiting_approval');
  update public.effects e set status = 'failed', last_error = p_reason where e.task_id = p_task_id and e.status = 'reserved';
  perform private.close_requests(p_task_id, 'superseded');
  update public.tasks t set status = p_status, reason = left(p_reason, 500), ended_at = private.now()
  where t.task_id = p_task_id returning * into v_task;
  perform private.emit(case p_status when 'rejected' then 'TASK_REJECTED' else 'TASK_FAILED' end, p_task_id, 'orchestrator',
    p_task_id || ':' || p_status, jsonb_build_object('reason', p_reason));
  perform private.announce(jsonb_build_object('topic', 'task_' || p_status, 'task_id', p_task_id, 'tier', v_task.risk_tier,
    'action', v_task.action, 'goal', v_task.goal, 'reason', p_reason, 'code', p_reason), array['owner', 'operator'], p_task_id);
end
$$;
comment on function private.end_task(text, text, text) is 'Ends a task as rejected or failed: open steps are cancelled, requests closed, people told.';

create function private.task_inputs(p_task_id text) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('node_id', s.node_id, 'agent', a.agent, 'artifact_id', a.artifact_id, 'type', a.type,
    'storage_ref', a.storage_ref, 'checksum', a.checksum, 'content', a.content) order by a.created_at, a.artifact_id), '[]')
  from public.artifacts a left join public.task_steps s on s.step_id = a.step_id where a.task_id = p_task_id
$$;

create function private.step_work(p_step public.task_steps) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('step_id', p_step.step_id, 'task_id', p_step.task_id, 'node_id', p_step.node_id, 'agent', p_step.agent,
    'agent_class', p_step.agent_class, 'action', p_step.action, 'tier', p_step.tier, 'attempt', p_step.attempt,
    'is_effect', p_step.is_effect, 'lease_token', p_step.lease_token, 'lease_expires_at', private.iso(p_step.lease_expires_at), 'input_hash', p_step.input_hash,
    'task', jsonb_build_object('task_id', t.task_id, 'goal', t.goal, 'actor', t.actor, 'action', t.action, 'risk_tier', t.risk_tier,
      'source', t.source, 'flow', t.flow, 'payload', t.payload_json, 'created_at', private.iso(t.created_at)),
    'inputs', private.task_inputs(t.task_id))
  from public.tasks t where t.task_id = p_step.task_id
$$;

create function api.claim_steps(p_worker text, p_limit integer default 10, p_agents text[] default null) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_steps public.task_steps[];
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
  select array_agg(c::public.task_steps order by c.run_at, c.step_id) into v_steps from claimed c;
  if v_steps is null then
    return '[]';
  end if;
  return (select jsonb_agg(private.step_work(s)) from unnest(v_steps) s);
end
$$;
comment on function api.claim_steps(text, integer, text[]) is
  'Leases ready steps for 30 seconds, oldest first, with everything their agents need. Without p_agents: all but the communicator''s. A step of an agent that is not enabled is never dispatched.';
revoke all on function api.claim_steps(text, integer, text[]) from public;
grant execute on function api.claim_steps(text, integer, text[]) to service_role;

create function api.complete_steps(p_results jsonb, p_policy_sha256 text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_item record;
  v_step public.task_steps;
  v_done uuid[] := '{}';
  v_answers jsonb := '[]';
  v_refused jsonb;
begin
  -- All tasks of the batch in one order, before any of their steps: overlapping batches queue up and do not deadlock.
  perform 1 from public.tasks t where t.task_id in (select s.task_id
    from jsonb_to_recordset(p_results) as r(step_id uuid) join public.task_steps s using (step_id))
  order by t.task_id for no key update;
  for v_item in
    select r.* from jsonb_to_recordset(p_results) as r(step_id uuid, attempt integer, lease_token uuid, result jsonb) order by r.step_id
  loop
    -- Looked at one by one: the second of two results for one step finds it done.
    v_step := private.leased_step(v_item.step_id, v_item.attempt, v_item.lease_token);
    if v_step.step_id is null then
      v_answers := v_answers || private.refuse_stale(v_item.step_id, 'step.complete');
      continue;
    end if;
    -- Plans, people, effects and the archive have functions of their own.
    if v_step.is_effect or v_step.agent_class in ('planner', 'human', 'communicator', 'orchestrator') or not private.storable(v_item.result) then
      v_answers := v_answers || private.refuse('invalid_request', v_step.agent, 'step.complete', 'step:' || v_step.step_id, v_step.task_id,
        'This result cannot be stored for this step.', jsonb_build_object('step_id', v_step.step_id));
      continue;
    end if;
    perform private.act_as(v_step.agent, 'step.complete');
    if v_step.agent_class = 'critic' then
      v_refused := private.store_evaluation(v_step.step_id, v_step.task_id, v_step.agent, v_item.result -> 'evaluation');
      if v_refused ? 'refused' then
        v_answers := v_answers || (v_refused || jsonb_build_object('step_id', v_item.step_id));
        continue;
      end if;
      v_item.result := v_item.result || jsonb_build_object('quality_score', v_refused -> 'score');
    end if;
    perform private.finish_step(v_item.step_id, v_item.result);
    v_done := v_done || v_item.step_id;
    v_answers := v_answers || jsonb_build_object('step_id', v_item.step_id, 'status', 'done');
  end loop;
  -- The critic's no ends its task, running siblings included, before anything that waits for it becomes ready.
  perform private.reject_failed_evaluations(v_done);
  perform private.advance(v_done);
  return v_answers;
end
$$;
comment on function api.complete_steps(jsonb, text) is
  'Completes leased steps with their results and readies what waits for them; per item done, or refused: stale_lease, invalid_request, evaluation_missing, author_is_critic, score_out_of_range.';
revoke all on function api.complete_steps(jsonb, text) from public;
grant execute on function api.complete_steps(jsonb, text) to service_role;
