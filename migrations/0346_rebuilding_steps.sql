-- The promise of this file: the steps of an open task are made again what its artifacts and its plan say, along edges that exist;
-- whatever an effect may have seen is left to a person. Refuses: not_found, invalid_request, illegal_transition.

-- Steps whose work counts no more: what is out of order or has no good artifact, and all that was built on it.
create function private.spoiled_steps(p_task_id text) returns uuid[]
language sql stable set search_path = ''
as $$
  with recursive spoiled as (
    select s.step_id, s.node_id from private.step_findings(p_task_id) f join public.task_steps s using (step_id)
    where f.finding in ('artifact_missing', 'artifact_altered') or f.finding = 'out_of_order' and s.status <> 'ready'
    union
    select s.step_id, s.node_id from spoiled p join public.task_steps s on s.task_id = p_task_id and p.node_id = any (s.waits_for)
    where s.status in ('done', 'running', 'ready', 'awaiting_approval')
  )
  select array_agg(s.step_id order by s.step_id) from spoiled s
$$;

-- Those that wait for nobody become ready, as they would have when the last one before them was completed; the others are counted anew.
create function private.recount_steps(p_task_id text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_ready text[];
  v_human uuid[];
  v_counted integer;
  v_step uuid;
begin
  with counted as materialized (
    select s.step_id, (select count(*) from public.task_steps p where p.task_id = s.task_id and p.node_id = any (s.waits_for)
      and p.status not in ('done', 'skipped'))::integer as parents
    from public.task_steps s where s.task_id = p_task_id and s.status in ('pending', 'ready')
  ), moved as (
    update public.task_steps s set pending_parents = c.parents, status = case when c.parents = 0 then 'ready' else 'pending' end,
      run_at = case when s.status = 'pending' and c.parents = 0 then private.now() else s.run_at end,
      input_ref = case when c.parents = 0 then format('supa://tasks/%s/%s/inputs.json', s.task_id, s.node_id) else s.input_ref end,
      input_hash = case when c.parents = 0 then private.input_hash(s.task_id, s.waits_for) else s.input_hash end
    from counted c where s.step_id = c.step_id
      and (s.pending_parents <> c.parents or s.status = 'pending' and c.parents = 0 or s.status = 'ready' and c.parents > 0)
    returning s.step_id, s.task_id, s.node_id, s.status, s.agent, s.agent_class, s.input_hash
  ), told as (
    insert into public.events (task_id, type, agent, idempotency_key, payload_json)
    select m.task_id, 'STEP_READY', m.agent, m.task_id || ':' || m.node_id || ':' || m.input_hash || ':ready', jsonb_build_object('node_id', m.node_id)
    from moved m where m.status = 'ready' order by m.step_id
    on conflict (idempotency_key) do nothing
  )
  select count(*), coalesce(array_agg(m.node_id order by m.node_id) filter (where m.status = 'ready'), '{}'),
    array_agg(m.step_id order by m.step_id) filter (where m.status = 'ready' and m.agent_class = 'human')
  into v_counted, v_ready, v_human from moved m;
  foreach v_step in array coalesce(v_human, '{}') loop
    perform private.open_request(v_step);
  end loop;
  return jsonb_build_object('counted', v_counted, 'readied', to_jsonb(v_ready));
end
$$;

create function api.rebuild_steps(p_task_id text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_object text := 'task:' || coalesce(left(p_task_id, 64), '?');
  v_task public.tasks;
  v_found jsonb;
  v_spoiled uuid[];
  v_anew text[] := '{}';
  v_returned text[] := '{}';
  v_lost record;
  v_counted jsonb;
  v_answer jsonb;
begin
  if coalesce(length(p_actor), 0) not between 1 and 200 then
    return private.refuse('invalid_request', p_actor, 'task.rebuild', v_object, null, 'Steps are rebuilt by somebody.');
  end if;
  select t.* into v_task from public.tasks t where t.task_id = p_task_id for no key update;
  if v_task.task_id is null then
    return private.refuse('not_found', p_actor, 'task.rebuild', v_object);
  end if;
  perform 1 from public.task_steps s where s.task_id = p_task_id order by s.step_id for no key update;
  if v_task.ended_at is not null or v_task.status = 'paused'
    or exists (select 1 from public.effects e where e.task_id = p_task_id and e.status in ('reserved', 'sent', 'unknown')) then
    return private.refuse('illegal_transition', p_actor, 'task.rebuild', v_object, p_task_id,
      'What has ended, or whose effect is under way or was not seen, is left to a person.');
  end if;
  select jsonb_agg(jsonb_build_object('step_id', f.step_id, 'finding', f.finding) order by f.step_id) into v_found from private.step_findings(p_task_id) f;
  if v_found is null then
    return jsonb_build_object('task_id', p_task_id, 'changed', false, 'status', v_task.status);
  end if;
  v_spoiled := private.spoiled_steps(p_task_id);
  if v_spoiled is not null and (not private.effect_not_begun(p_task_id) or exists (select 1 from public.task_steps s
    where s.step_id = any (v_spoiled) and s.agent_class in ('planner', 'orchestrator') and s.status in ('done', 'running'))) then
    return private.refuse('illegal_transition', p_actor, 'task.rebuild', v_object, p_task_id,
      'Its work cannot be done anew: the effect was taken in hand, or the plan itself is what is wrong.');
  end if;
  if v_spoiled is not null and exists (select 1 from public.approval_requests r where r.task_id = p_task_id and r.status in ('open', 'approved')) then
    -- People were asked about it: it is done anew as a whole, and a result that is the same keeps their answers.
    v_answer := api.replan_task(p_task_id, 'rebuilt: an artifact is missing or altered, or a step stood before its parents', p_actor);
    if v_answer ? 'refused' then
      return v_answer;
    end if;
    v_answer := jsonb_build_object('replanned', true);
  elsif v_spoiled is not null and v_task.status <> 'running' then
    return private.refuse('illegal_transition', p_actor, 'task.rebuild', v_object, p_task_id, 'Only the work of a running task is done anew.');
  elsif v_spoiled is not null then
    perform private.act_as(p_actor, 'task.rebuild');
    -- Whoever works on one of them loses its lease: what it brings was made from what is not there.
    with anew as (
      update public.task_steps s set status = 'pending', pending_parents = 1, ended_at = null, lease_token = null, lease_expires_at = null
      where s.step_id = any (v_spoiled) returning s.node_id
    )
    select array_agg(a.node_id order by a.node_id) into v_anew from anew a;
  end if;
  -- A lease that ran out is given back the way the reaper does it: it counts as a failure, and the third is the last.
  for v_lost in select s.step_id, s.node_id from public.task_steps s
    where s.task_id = p_task_id and s.status = 'running' and s.lease_expires_at < private.now() order by s.step_id loop
    perform private.act_as(p_actor, 'task.rebuild');
    if private.reap_lease(v_lost.step_id, p_task_id) then
      v_returned := v_returned || v_lost.node_id;
    end if;
  end loop;
  perform private.act_as(p_actor, 'task.rebuild');
  if (select t.ended_at is null from public.tasks t where t.task_id = p_task_id) then
    v_counted := private.recount_steps(p_task_id);
  end if;
  v_answer := coalesce(v_answer, '{}') || jsonb_build_object('task_id', p_task_id, 'changed', true, 'found', v_found, 'anew', to_jsonb(v_anew),
    'returned', to_jsonb(v_returned), 'status', (select t.status from public.tasks t where t.task_id = p_task_id)) || coalesce(v_counted, '{}');
  insert into public.audit_logs (actor, action, object, task_id, after_json) values (p_actor, 'task.rebuild', v_object, p_task_id, v_answer);
  return v_answer;
end
$$;
comment on function api.rebuild_steps(text, text) is
  'Makes the steps of an open task what its plan and its good artifacts say: counts who waits for whom, readies who waits for nobody, gives back lost leases, and has work anew whose artifact is missing or altered. A repeat changes nothing. Refuses not_found, illegal_transition (ended, paused, or an effect was begun), invalid_request. Administrator only.';
revoke all on function api.rebuild_steps(text, text) from public;
grant execute on function api.rebuild_steps(text, text) to administrator;

create function api.record_runbook_step(p_run uuid, p_runbook text, p_step integer, p_steps integer, p_title text, p_outcome text, p_detail jsonb,
  p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  if p_run is null or coalesce(p_runbook, '') not in ('desync', 'tool-failure', 'memory-drift') or p_step is null or p_steps is null
    or coalesce(p_outcome, '') not in ('asked', 'done', 'declined', 'failed') or coalesce(length(p_actor), 0) not between 1 and 200
    or octet_length(coalesce(p_detail, '{}')::text) > 16384 then
    return private.refuse('invalid_request', p_actor, 'runbook.step', 'runbook:' || coalesce(p_run::text, '?'), null,
      'A step of a runbook was asked, done, declined or failed, by somebody.');
  end if;
  insert into public.audit_logs (actor, action, object, after_json)
  values (p_actor, 'runbook.' || p_runbook, 'runbook:' || p_run, jsonb_build_object('step', p_step, 'of', p_steps, 'title', left(p_title, 200),
    'outcome', p_outcome, 'detail', coalesce(p_detail, '{}')));
  return jsonb_build_object('recorded', true);
end
$$;
comment on function api.record_runbook_step(uuid, text, integer, integer, text, text, jsonb, text) is
  'Puts a step of a runbook on record: asked, done, declined or failed. Refuses invalid_request. Administrator only.';
revoke all on function api.record_runbook_step(uuid, text, integer, integer, text, text, jsonb, text) from public;
grant execute on function api.record_runbook_step(uuid, text, integer, integer, text, text, jsonb, text) to administrator;

-- What a runbook watches: latency of the last hour per tier, and what was done twice. Null where nothing was measured.
create function api.runbook_figures() returns jsonb
language sql stable security definer set search_path = ''
as $$
  select jsonb_build_object(
    'latency_p95_seconds', (select jsonb_object_agg(k.subject, k.value) from public.kpi_current k where k."window" = '1 h' and k.kpi = 'latency_p95'),
    'duplicate_execution_rate', (select k.value from public.kpi_current k where k."window" = '1 h' and k.kpi = 'duplicate_execution_rate'),
    'duplicate_rate', (select jsonb_object_agg(l.consumer, l.duplicate_rate) from public.consumer_lag l),
    'consumers', (select jsonb_agg(jsonb_build_object('consumer', l.consumer, 'paused', l.paused, 'pause_reason', l.pause_reason, 'lag_rows', l.lag_rows)
      order by l.consumer) from public.consumer_lag l))
$$;
comment on function api.runbook_figures() is 'What a runbook looks at before and after: P95 latency per tier and duplicate rates of the last hour, and every consumer. Null where nothing was measured. Administrator only.';
revoke all on function api.runbook_figures() from public;
grant execute on function api.runbook_figures() to administrator;
