-- The promise of this file: a step that gives up says with which tool, and goes where the rules of that tool send it: tried again, waiting,
-- put aside, or ended; ended by trying, it is a dead letter. An effect that has left is never tried again. Refuses: stale_lease,
-- not_found, illegal_transition, forbidden, invalid_request.

-- One more argument, so a new function: two of one name could not be told apart where it is left out.
drop function api.fail_step(uuid, integer, uuid, text, text, numeric);
create function api.fail_step(p_step_id uuid, p_attempt integer, p_lease_token uuid, p_code text, p_error text default null,
  p_retry_after numeric default null, p_tool text default null) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_step public.task_steps := private.leased_step(p_step_id, p_attempt, p_lease_token);
  v_code text := coalesce((select r.code from private.refusal_codes r where r.code = p_code), 'internal');
  v_tool text := (select b.tool from public.circuit_breakers b where b.tool = p_tool);
  v_outcome text := private.outcome_for(v_tool, v_code);
  v_retry_at timestamptz;
begin
  if v_step.step_id is null then
    return private.refuse_stale(p_step_id, 'step.fail', jsonb_build_object('code', v_code));
  end if;
  perform private.act_as(v_step.agent, 'step.fail');
  if v_outcome not in ('wait', 'park') or v_step.last_code is distinct from v_code then
    perform private.refuse(v_code, v_step.agent, 'step.fail', 'step:' || p_step_id, v_step.task_id, left(p_error, 500));
    perform private.emit('STEP_FAILED', v_step.task_id, v_step.agent,
      v_step.task_id || ':' || v_step.node_id || ':' || v_step.input_hash || ':failed:' || p_attempt,
      jsonb_build_object('node_id', v_step.node_id, 'code', v_code, 'attempt', p_attempt, 'tool', v_tool));
  end if;
  if exists (select 1 from public.effects e where e.step_id = p_step_id and e.status = 'sent') then
    -- The call had left: whatever its worker says of itself, nobody saw the answer.
    perform private.mark_effect_unknown(p_step_id);
    return jsonb_build_object('status', 'stale', 'task_status', 'paused');
  end if;
  if v_outcome = 'park' and v_tool is not null then
    return private.park_step(v_step, v_tool, p_error);
  end if;
  if v_outcome in ('wait', 'park') or (v_outcome = 'retry' and v_step.failures < 2) then
    v_retry_at := private.now() + case when p_retry_after is not null then make_interval(secs => least(greatest(p_retry_after, 0), 86400)::double precision)
      when v_outcome = 'retry' then private.retry_pause(v_step.failures + 1) else private.pause_before(v_step) end;
    update public.task_steps s set status = 'ready', run_at = v_retry_at, lease_token = null, lease_expires_at = null,
      failures = case when v_outcome = 'retry' then s.failures + 1 else s.failures end, last_code = v_code, last_error = left(p_error, 500)
    where s.step_id = p_step_id;
    return jsonb_build_object('status', 'ready', 'retry_at', private.iso(v_retry_at));
  end if;
  update public.task_steps s set status = 'failed', ended_at = private.now(), lease_token = null, lease_expires_at = null,
    last_code = v_code, last_error = left(p_error, 500) where s.step_id = p_step_id;
  if v_outcome = 'retry' then
    perform private.write_dead_letter(v_step, v_tool, v_code);
    perform private.act_as(v_step.agent, 'step.fail');
    v_outcome := 'failed';
  end if;
  perform private.end_task(v_step.task_id, v_outcome, v_code);
  return jsonb_build_object('status', 'failed', 'task_status', v_outcome);
end
$$;
comment on function api.fail_step(uuid, integer, uuid, text, text, numeric, text) is
  'Gives a leased step back by the rules of its code and tool: another attempt (three in all), a wait, the fallback queue, or its task ends as failed or rejected; with an effect under way the outcome is unknown. Refuses stale_lease.';
revoke all on function api.fail_step(uuid, integer, uuid, text, text, numeric, text) from public;
grant execute on function api.fail_step(uuid, integer, uuid, text, text, numeric, text) to service_role;

create or replace function private.reap_lease(p_step_id uuid, p_task_id text) returns boolean
language plpgsql set search_path = ''
as $$
declare
  v_step public.task_steps;
begin
  -- Task before step, and no waiting: whoever holds the task is about to end the step, or leaves it for the next round.
  perform 1 from public.tasks t where t.task_id = p_task_id for no key update skip locked;
  if not found then
    return false;
  end if;
  select s.* into v_step from public.task_steps s
  where s.step_id = p_step_id and s.status = 'running' and s.lease_expires_at < private.now() for no key update skip locked;
  if v_step.step_id is null then
    return false;
  end if;
  if exists (select 1 from public.effects e where e.step_id = v_step.step_id and e.status = 'sent') then
    perform private.mark_effect_unknown(v_step.step_id);
    return true;
  end if;
  -- What a step does to its worker is what it says: nobody else can say it.
  perform private.refuse('internal', v_step.agent, 'step.reap', 'step:' || v_step.step_id, v_step.task_id,
    'the lease of attempt ' || v_step.attempt || ' was lost by ' || coalesce(v_step.worker, 'its worker'));
  if v_step.failures >= 2 then
    update public.task_steps s set status = 'failed', failures = 3, ended_at = private.now(), lease_token = null, lease_expires_at = null,
      last_code = 'internal', last_error = 'the lease was lost three times' where s.step_id = v_step.step_id;
    perform private.write_dead_letter(v_step, null, 'internal');
    perform private.act_as('reaper', 'step.reap');
    perform private.end_task(v_step.task_id, 'failed', 'internal');
  else
    update public.task_steps s set status = 'ready', failures = s.failures + 1, run_at = private.now(), lease_token = null, lease_expires_at = null,
      last_error = 'the lease was lost' where s.step_id = v_step.step_id;
  end if;
  return true;
end
$$;

-- A task that has ended stays ended. What is done anew is a new task in the name of whoever asked, and passes every gate again.
create function api.resolve_dead_letter(p_letter uuid, p_resolution text, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_letter public.dead_letters;
  v_task public.tasks;
  v_next text;
  v_code text;
begin
  select l.* into v_letter from public.dead_letters l where l.letter_id = p_letter for update;
  select t.* into v_task from public.tasks t where t.task_id = v_letter.task_id;
  v_code := case
    when coalesce(p_resolution, '') not in ('requeued', 'dismissed') or coalesce(length(btrim(p_reason)), 0) not between 1 and 500
      or coalesce(length(p_actor), 0) not between 1 and 200 then 'invalid_request'
    when v_letter.letter_id is null then 'not_found'
    when v_letter.resolution is not null then 'illegal_transition'
    -- Money and keys are asked for anew by whoever wants them.
    when p_resolution = 'requeued' and coalesce(private.action_tier(v_task.action), 'T3') = 'T3' then 'forbidden'
  end;
  if v_code is not null then
    return private.refuse(v_code, p_actor, 'dead_letter.resolve', 'dead_letter:' || coalesce(p_letter::text, '?'), v_letter.task_id, case v_code
      when 'forbidden' then 'A request of tier T3 is made anew by whoever asked.' when 'invalid_request' then 'A letter is requeued or dismissed by somebody, with a reason.' end);
  end if;
  if p_resolution = 'requeued' then
    v_next := private.create_task(jsonb_build_object('actor', v_task.actor, 'goal', v_task.goal, 'action', v_task.action, 'source', v_task.source,
      'payload', v_task.payload_json), coalesce(private.action_tier(v_task.action), 'T3'), false, 'requeue:' || p_letter);
    perform private.act_as(p_actor, 'dead_letter.requeue');
    update public.tasks t set parent_task_id = v_task.task_id where t.task_id = v_next;
  end if;
  perform private.act_as(p_actor, 'dead_letter.resolve');
  update public.dead_letters l set resolution = p_resolution, resolved_by = p_actor, resolved_at = private.now(), resolve_reason = btrim(p_reason), next_task_id = v_next
  where l.letter_id = p_letter;
  perform private.close_alert_of('dead_letter', 'step:' || v_letter.step_id);
  return jsonb_strip_nulls(jsonb_build_object('letter_id', p_letter, 'resolution', p_resolution, 'task_id', v_letter.task_id, 'next_task_id', v_next));
end
$$;
comment on function api.resolve_dead_letter(uuid, text, text, text) is
  'Requeues a dead letter as a new task of the same request, or dismisses it, in somebody''s name. Refuses invalid_request, not_found, illegal_transition, forbidden (tier T3). Administrator only.';
revoke all on function api.resolve_dead_letter(uuid, text, text, text) from public;
grant execute on function api.resolve_dead_letter(uuid, text, text, text) to administrator;
