-- The promise of this file: a failure is tried again at most three times in all, after a jittered pause; a lost
-- lease gives the step back; an effect whose outcome was not seen goes to a person and is never retried.
-- Refuses: stale_lease.

-- Codes that another attempt cannot mend, and what the task becomes.
create function private.outcome_of(p_code text) returns text
language sql immutable set search_path = ''
as $$
  select case
    when p_code in ('insufficient_data', 'request_expired', 'critic_rejected', 'unusable_alert', 'digest_drift', 'approval_missing') then 'rejected'
    when p_code in ('policy_not_active', 'policy_invalid') then 'wait'
    when p_code in ('internal', 'unavailable', 'rate_limited') then 'retry'
    else 'failed'
  end
$$;

create function api.fail_step(p_step_id uuid, p_attempt integer, p_lease_token uuid, p_code text, p_error text default null,
  p_retry_after numeric default null) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_step public.task_steps := private.leased_step(p_step_id, p_attempt, p_lease_token);
  v_code text := coalesce((select r.code from private.refusal_codes r where r.code = p_code), 'internal');
  v_outcome text := private.outcome_of(v_code);
  v_retry_at timestamptz;
begin
  if v_step.step_id is null then
    return private.refuse_stale(p_step_id, 'step.fail', jsonb_build_object('code', v_code));
  end if;
  perform private.refuse(v_code, v_step.agent, 'step.fail', 'step:' || p_step_id, v_step.task_id, left(p_error, 500));
  perform private.act_as(v_step.agent, 'step.fail');
  perform private.emit('STEP_FAILED', v_step.task_id, v_step.agent,
    v_step.task_id || ':' || v_step.node_id || ':' || v_step.input_hash || ':failed:' || p_attempt,
    jsonb_build_object('node_id', v_step.node_id, 'code', v_code, 'attempt', p_attempt));
  if exists (select 1 from public.effects e where e.step_id = p_step_id and e.status = 'sent') then
    -- The call had left: whatever its worker says of itself, nobody saw the answer.
    perform private.mark_effect_unknown(p_step_id);
    return jsonb_build_object('status', 'stale', 'task_status', 'paused');
  end if;
  if v_outcome = 'retry' and v_step.failures >= 2 then
    v_outcome := 'failed';
  end if;
  if v_outcome in ('retry', 'wait') then
    v_retry_at := private.now() + make_interval(secs => coalesce(case when p_retry_after is not null then least(greatest(p_retry_after, 0), 86400) end,
      case v_outcome when 'wait' then 5 else 0.5 + random() * least(60, 2 ^ (v_step.failures + 1)) end)::double precision);
    update public.task_steps s set status = 'ready', run_at = v_retry_at, lease_token = null, lease_expires_at = null,
      failures = case when v_outcome = 'wait' then s.failures else s.failures + 1 end, last_code = v_code, last_error = left(p_error, 500)
    where s.step_id = p_step_id;
    return jsonb_build_object('status', 'ready', 'retry_at', private.iso(v_retry_at));
  end if;
  update public.task_steps s set status = 'failed', ended_at = private.now(), lease_token = null, lease_expires_at = null,
    last_code = v_code, last_error = left(p_error, 500) where s.step_id = p_step_id;
  perform private.end_task(v_step.task_id, v_outcome, v_code);
  return jsonb_build_object('status', 'failed', 'task_status', v_outcome);
end
$$;
comment on function api.fail_step(uuid, integer, uuid, text, text, numeric) is
  'Gives a leased step back for another attempt (three in all), or ends its task as failed or rejected; with an effect under way the outcome is unknown. Refuses stale_lease.';
revoke all on function api.fail_step(uuid, integer, uuid, text, text, numeric) from public;
grant execute on function api.fail_step(uuid, integer, uuid, text, text, numeric) to service_role;

create function api.extend_lease(p_step_id uuid, p_attempt integer, p_lease_token uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_step public.task_steps := private.leased_step(p_step_id, p_attempt, p_lease_token);
begin
  if v_step.step_id is null then
    return private.refuse_stale(p_step_id, 'step.extend');
  end if;
  perform private.act_as(v_step.agent, 'step.extend');
  update public.task_steps s set lease_expires_at = greatest(s.lease_expires_at, private.now() + interval '30 seconds') where s.step_id = p_step_id;
  return jsonb_build_object('status', 'running');
end
$$;
comment on function api.extend_lease(uuid, integer, uuid) is 'The heartbeat of a long step: 30 more seconds. Refuses stale_lease.';
revoke all on function api.extend_lease(uuid, integer, uuid) from public;
grant execute on function api.extend_lease(uuid, integer, uuid) to service_role;

create function private.reap_lease(p_step_id uuid, p_task_id text) returns boolean
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
  elsif v_step.failures >= 2 then
    update public.task_steps s set status = 'failed', failures = 3, ended_at = private.now(), lease_token = null, lease_expires_at = null,
      last_code = 'internal', last_error = 'the lease was lost three times' where s.step_id = v_step.step_id;
    perform private.end_task(v_step.task_id, 'failed', 'internal');
  else
    update public.task_steps s set status = 'ready', failures = s.failures + 1, run_at = private.now(), lease_token = null, lease_expires_at = null,
      last_error = 'the lease was lost' where s.step_id = v_step.step_id;
  end if;
  return true;
end
$$;

create function private.reap_leases() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_lost record;
  v_count integer := 0;
  v_error text;
begin
  perform private.act_as('reaper', 'step.reap');
  for v_lost in
    select s.step_id, s.task_id from public.task_steps s where s.status = 'running' and s.lease_expires_at < private.now()
    order by s.lease_expires_at limit 100
  loop
    -- One step that cannot be given back must not keep the others: it is on record, health counts its lost lease.
    begin
      if private.reap_lease(v_lost.step_id, v_lost.task_id) then
        v_count := v_count + 1;
      end if;
    exception when others then
      v_error := sqlerrm;
      perform private.refuse('internal', 'reaper', 'step.reap', 'step:' || v_lost.step_id, v_lost.task_id, left(v_error, 300));
    end;
  end loop;
  return v_count;
end
$$;
comment on function private.reap_leases() is
  'Gives steps with a lost lease back. Looked at again under the lock, so a completion in between wins.';

-- An embedded database has one process, and that process holds the directory's lock: whatever was leased
-- before it started belongs to a dead one. A kill is not the step's failure, so it is not counted.
create function api.release_leases(p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_step public.task_steps;
  v_released integer := 0;
begin
  perform private.act_as(p_actor, 'step.release');
  for v_step in select s.* from public.task_steps s where s.status = 'running' order by s.step_id for update loop
    if exists (select 1 from public.effects e where e.step_id = v_step.step_id and e.status = 'sent') then
      perform private.mark_effect_unknown(v_step.step_id);
    else
      update public.task_steps s set status = 'ready', run_at = private.now(), lease_token = null, lease_expires_at = null,
        last_error = 'its worker ended' where s.step_id = v_step.step_id;
      v_released := v_released + 1;
    end if;
  end loop;
  update public.notifications n set status = 'queued', lease_expires_at = null where n.status = 'sending';
  return jsonb_build_object('released', v_released);
end
$$;
comment on function api.release_leases(text) is
  'Gives every leased step back at the start of the only process. An effect that was under way becomes unknown. Administrator only.';
revoke all on function api.release_leases(text) from public;
grant execute on function api.release_leases(text) to administrator;
