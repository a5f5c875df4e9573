-- The promise of this file: what only waits (for a stop to end, a switch, a price, a token, a policy) is no failure: it is tried again ever
-- more rarely, says so once, and ends with its approval. What the world has changed for good ends its task.
-- Refuses: stale_lease.

create or replace function private.outcome_of(p_code text) returns text
language sql immutable set search_path = ''
as $$
  select case
    when p_code in ('insufficient_data', 'request_expired', 'critic_rejected', 'unusable_alert', 'digest_drift', 'approval_missing',
      'dry_run_missing', 'price_moved', 'limit_exceeded', 'unknown_account', 'account_suspended', 'incomplete_bracket', 'position_missing',
      'kyc_incomplete', 'order_expired', 'wrong_amount') then 'rejected'
    when p_code in ('policy_not_active', 'policy_not_approved', 'policy_invalid', 'stopped', 't3_execution_disabled', 'quote_stale',
      'cool_down', 'no_channel', 'rate_limited') then 'wait'
    when p_code in ('internal', 'unavailable') then 'retry'
    else 'failed'
  end
$$;

-- What waits for the world is looked at again after 5, 10, 20 … 60 seconds, and says so once: a stop of a day must not fill the trail.
create function private.pause_before(p_step public.task_steps) returns interval
language sql immutable set search_path = ''
as $$ select make_interval(secs => least(60, 5 * 2 ^ least(greatest(p_step.attempt - 1, 0), 4))::double precision) $$;

create function private.refuse_waiting(p_code text, p_step public.task_steps, p_action text, p_object text) returns jsonb
language plpgsql set search_path = ''
as $$
begin
  if private.outcome_of(p_code) = 'wait' and p_step.last_code is not distinct from p_code then
    return jsonb_build_object('refused', p_code);
  end if;
  return private.refuse(p_code, p_step.agent, p_action, p_object, p_step.task_id);
end
$$;
comment on function private.refuse_waiting(text, public.task_steps, text, text) is
  'A refusal of an effect; what only waits, and was refused for the same reason before, leaves no second row.';

create or replace function api.fail_step(p_step_id uuid, p_attempt integer, p_lease_token uuid, p_code text, p_error text default null,
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
  perform private.act_as(v_step.agent, 'step.fail');
  if v_outcome <> 'wait' or v_step.last_code is distinct from v_code then
    perform private.refuse(v_code, v_step.agent, 'step.fail', 'step:' || p_step_id, v_step.task_id, left(p_error, 500));
    perform private.emit('STEP_FAILED', v_step.task_id, v_step.agent,
      v_step.task_id || ':' || v_step.node_id || ':' || v_step.input_hash || ':failed:' || p_attempt,
      jsonb_build_object('node_id', v_step.node_id, 'code', v_code, 'attempt', p_attempt));
  end if;
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
      case v_outcome when 'wait' then extract(epoch from private.pause_before(v_step)) else 0.5 + random() * least(60, 2 ^ (v_step.failures + 1)) end)::double precision);
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
