-- The promise of this file: there is no second way to an effect. Every kind of effect passes the same gates in the same
-- transaction: stop, switch, approvals, digest, dry run, and the limits of its own kind.
-- Refuses: stale_lease, stopped, policy_not_active, policy_not_approved, evaluation_missing, critic_rejected, approval_missing, request_expired,
-- digest_drift, dry_run_missing, local_decision, t3_execution_disabled, no_channel, effect_exists, invalid_request, and what an effect's own gate refuses.

-- Which kind of effect an action may have.
create function private.kind_problem(p_action text, p_kind text) returns text
language sql immutable set search_path = ''
as $$
  select case
    when private.has_no_way_out(p_action) then 'no_channel'
    when p_action = 'TRADE' then case when p_kind is distinct from 'trade' then 'invalid_request' end
    when p_action = 'PAYMENT' then case when p_kind is distinct from 'access' then 'invalid_request' end
    when p_action = 'POLICY_CHANGE' then case when p_kind is distinct from 'policy_change' then 'invalid_request' end
    when p_kind not in ('publish', 'record') then 'invalid_request'
  end
$$;

create or replace function private.approval_problem(p_task public.tasks, p_request public.approval_requests, p_channel text) returns text
language sql stable set search_path = ''
as $$
  select case
    when p_request.request_id is null then 'approval_missing'
    when p_request.expires_at <= private.now() then 'request_expired'
    when private.request_drifted(p_task, p_request) then 'digest_drift'
    when not private.slots_filled(p_request.request_id) then 'approval_missing'
    when private.held_by_switch(p_task) then 't3_execution_disabled'
    when p_channel not in ('console', 'internal', 'paper') and exists (select 1 from public.approvals a
      where a.request_id = p_request.request_id and a.metadata ->> 'channel' = 'local-simulated') then 'local_decision'
  end
$$;

create or replace function private.effect_problem(p_task public.tasks, p_request public.approval_requests, p_kind text, p_channel text, p_payload jsonb)
returns text
language plpgsql volatile set search_path = ''
as $$
declare
  v_tier text := private.effective_tier(p_task);
  v_rule private.approval_rule := private.task_rule(p_task);
  v_evaluation public.evaluations := private.gating_evaluation(p_task.task_id);
  v_gone text;
begin
  -- Nobody is asked anew about an exit from what is closed already. This only ever refuses: everything below holds for what it lets through.
  if p_kind = 'trade' and p_payload -> 'reduce_only' = 'true'::jsonb and private.stop_problem(p_task) is null
    and private.proposed(p_task.task_id, 'order') is not distinct from p_payload and not private.is_reduction(p_task) then
    v_gone := private.order_problem(p_task, p_payload, p_channel);
    if v_gone is not null then
      return v_gone;
    end if;
  end if;
  return case
    when v_rule is null then 'policy_invalid'
    when private.action_tier(p_task.action) is null then 'unclassified_action'
    when private.stop_problem(p_task) is not null then private.stop_problem(p_task)
    when private.kind_problem(p_task.action, p_kind) is not null then private.kind_problem(p_task.action, p_kind)
    when v_evaluation.evaluation_id is null then 'evaluation_missing'
    when v_evaluation.verdict <> 'pass' or v_evaluation.score < v_rule.min_score then 'critic_rejected'
    when v_rule.slots <> '{}' and private.approval_problem(p_task, p_request, p_channel) is not null
      then private.approval_problem(p_task, p_request, p_channel)
    when private.artifacts_altered(v_evaluation) then 'digest_drift'
    when v_rule.dry_run and private.dry_run_problem(p_task.task_id, v_evaluation) is not null
      then private.dry_run_problem(p_task.task_id, v_evaluation)
    -- What needs nobody stays in the house, and what people decided on does not end as a note.
    when p_kind = 'publish' and v_rule.slots = '{}' then 'approval_missing'
    when p_kind = 'record' and v_tier > 'T1' then 'invalid_request'
    -- What is published is the post that people saw, byte for byte, and nothing that would change how it reads.
    when p_kind = 'publish' and not exists (select 1 from private.newest_artifacts(p_task.task_id) a join public.artifacts o on o.step_id = a.step_id
      where o.artifact_id = v_evaluation.artifact_id and a.type = 'post' and p_payload = jsonb_build_object('text', a.content)) then 'digest_drift'
    -- What is ordered, granted or adopted is what the proposal says, member for member.
    when p_kind = 'trade' and private.proposed(p_task.task_id, 'order') is distinct from p_payload then 'digest_drift'
    when p_kind = 'access' and private.proposed(p_task.task_id, 'grant') is distinct from p_payload then 'digest_drift'
    when p_kind = 'policy_change' and private.proposed(p_task.task_id, 'policy') is distinct from p_payload then 'digest_drift'
    when p_kind = 'trade' then private.order_problem(p_task, p_payload, p_channel)
    when p_kind = 'access' then private.access_problem(p_task, p_payload, p_channel)
    when p_kind = 'policy_change' then private.policy_change_problem(p_task, p_payload)
  end;
end
$$;

create or replace function api.reserve_effect(p_step_id uuid, p_attempt integer, p_lease_token uuid, p_kind text, p_channel text,
  p_destination text, p_payload jsonb, p_policy_sha256 text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_step public.task_steps;
  v_task public.tasks;
  v_request public.approval_requests;
  v_effect public.effects;
  v_code text;
  v_key text;
begin
  -- Before any row: whoever stops waits for the reservations that are under way, and every later one sees the stop.
  perform private.share_stop_lock();
  v_step := private.leased_step(p_step_id, p_attempt, p_lease_token);
  if v_step.step_id is null then
    return private.refuse_stale(p_step_id, 'effect.reserve');
  end if;
  select t.* into v_task from public.tasks t where t.task_id = v_step.task_id;
  -- Before what a dead worker left: a process with another policy does not go on with it either.
  v_code := private.policy_problem(p_policy_sha256);
  if v_code is not null then
    return private.refuse_waiting(v_code, v_step, 'effect.reserve', 'task:' || v_task.task_id);
  end if;
  v_key := v_task.task_id || ':' || v_step.node_id || ':' || v_step.input_hash;
  select e.* into v_effect from public.effects e where e.idempotency_key = v_key for update;
  if v_effect.status = 'reserved' then
    -- A worker died between reserving and sending: nothing left the house, so this one goes on; start_effect looks again.
    -- It may have another channel than the dead one (a bot token was added or lost), and the row says where it really goes.
    if v_effect.kind = p_kind and (p_kind, p_channel) in (('publish', 'telegram'), ('publish', 'console'))
      and coalesce(length(p_destination), 0) <= 200 and (v_effect.channel, v_effect.destination) is distinct from (p_channel, p_destination) then
      perform private.act_as(v_step.agent, 'effect.reserve');
      update public.effects e set channel = p_channel, destination = p_destination where e.effect_id = v_effect.effect_id;
    end if;
    return jsonb_build_object('effect_id', v_effect.effect_id, 'status', 'reserved', 'idempotency_key', v_key, 'payload', v_effect.payload_json);
  elsif v_effect.effect_id is not null then
    return private.refuse('effect_exists', v_step.agent, 'effect.reserve', 'effect:' || v_effect.effect_id, v_task.task_id, null,
      jsonb_build_object('status', v_effect.status));
  end if;

  select r.* into v_request from public.approval_requests r where r.task_id = v_task.task_id and r.status = 'approved' for update;
  v_code := case
    when not v_step.is_effect or coalesce((p_kind, p_channel) not in (('publish', 'telegram'), ('publish', 'console'), ('record', 'internal'),
      ('trade', 'paper'), ('trade', 'http-bridge'), ('access', 'telegram'), ('policy_change', 'internal')), true)
      or length(p_destination) > 200 or jsonb_typeof(p_payload) is distinct from 'object' or octet_length(p_payload::text) > 65536
      then 'invalid_request'
    else private.effect_problem(v_task, v_request, p_kind, p_channel, p_payload) end;
  if v_code is not null then
    -- A worker with the wrong text is wrong; an approval that no longer fits is asked for again.
    if v_code in ('digest_drift', 'approval_missing')
      and private.approval_problem(v_task, v_request, p_channel) = v_code and v_request.request_id is not null then
      perform private.ask_anew(v_request.request_id, p_step_id);
    end if;
    if v_task.risk_tier = 'T3' and private.outcome_of(v_code) = 'wait' then
      perform private.raise_alert('effect_waits', 'warning', 'task:' || v_task.task_id, v_code, null, v_task.task_id);
    end if;
    return private.refuse_waiting(v_code, v_step, 'effect.reserve', 'task:' || v_task.task_id);
  end if;

  perform private.act_as(v_step.agent, 'effect.reserve');
  update public.alerts a set closed_at = private.now()
  where a.code = 'effect_waits' and a.subject = 'task:' || v_task.task_id and a.closed_at is null;
  insert into public.effects (task_id, step_id, request_id, kind, channel, destination, idempotency_key, digest, payload_json)
  values (v_task.task_id, p_step_id, v_request.request_id, p_kind, p_channel, p_destination, v_key, v_request.digest, p_payload)
  returning * into v_effect;
  if v_request.request_id is not null then
    update public.approval_requests r set status = 'consumed', closed_at = private.now() where r.request_id = v_request.request_id;
  end if;
  update public.tasks t set status = 'publishing' where t.task_id = v_task.task_id and t.status <> 'publishing';
  perform private.emit('EFFECT_RESERVED', v_task.task_id, v_step.agent, v_key || ':reserved', jsonb_build_object('effect_id', v_effect.effect_id, 'kind', p_kind));
  perform private.use_break_glass(v_task.task_id);
  if p_channel in ('internal', 'paper') then
    -- The effect is rows of this database: it is done with its reservation or not at all.
    perform private.close_effect(v_effect.effect_id, 'confirmed', case p_kind
      when 'trade' then private.fill_order(v_effect) when 'policy_change' then private.adopt_policy(v_effect)
      else jsonb_build_object('stored', true) end);
    return jsonb_build_object('effect_id', v_effect.effect_id, 'status', 'confirmed', 'idempotency_key', v_key);
  end if;
  return jsonb_build_object('effect_id', v_effect.effect_id, 'status', 'reserved', 'idempotency_key', v_key, 'payload', p_payload);
end
$$;
comment on function api.reserve_effect(uuid, integer, uuid, text, text, text, jsonb, text) is
  'The one function through which an effect starts. Refuses stale_lease, stopped, policy_not_active, policy_not_approved, policy_invalid, evaluation_missing, critic_rejected, approval_missing, request_expired, digest_drift (people are asked anew), dry_run_missing, local_decision, t3_execution_disabled, no_channel, effect_exists, invalid_request, unclassified_action, and what the gate of its kind refuses.';

create or replace function api.start_effect(p_effect_id uuid, p_attempt integer, p_lease_token uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_step public.task_steps;
  v_effect public.effects;
  v_code text;
begin
  perform private.share_stop_lock();
  v_step := private.leased_step((select e.step_id from public.effects e where e.effect_id = p_effect_id), p_attempt, p_lease_token);
  select e.* into v_effect from public.effects e where e.effect_id = p_effect_id for update;
  if v_step.step_id is null or v_effect.status is distinct from 'reserved' then
    return private.refuse_stale(v_effect.step_id, 'effect.start');
  end if;
  -- Between reserving and sending lie a crash or a receiver's pause. What no longer holds ends here, and so does
  -- its task: the key of the effect is used.
  select private.effect_problem(t, r, v_effect.kind, v_effect.channel, v_effect.payload_json) into v_code
  from public.tasks t left join public.approval_requests r on r.request_id = v_effect.request_id where t.task_id = v_effect.task_id;
  if private.outcome_of(v_code) = 'wait' then
    -- A stop, a switch, an old quote: nothing has left, and the reservation stands until its approval lapses.
    perform private.act_as(v_step.agent, 'effect.start');
    update public.task_steps s set status = 'ready', run_at = private.now() + private.pause_before(v_step), lease_token = null,
      lease_expires_at = null, last_code = v_code where s.step_id = v_step.step_id;
    return private.refuse_waiting(v_code, v_step, 'effect.start', 'effect:' || p_effect_id);
  elsif v_code is not null then
    perform private.act_as(v_step.agent, 'effect.start');
    perform private.end_task(v_effect.task_id, 'rejected', v_code);
    return private.refuse(v_code, v_step.agent, 'effect.start', 'effect:' || p_effect_id, v_effect.task_id);
  end if;
  perform private.act_as(v_step.agent, 'effect.start');
  -- One that was reserved before the stop uses its grant up as it starts.
  perform private.use_break_glass(v_effect.task_id);
  update public.effects e set status = 'sent', sent_at = private.now(), attempt = e.attempt + 1 where e.effect_id = p_effect_id;
  -- The lease covers the call; whoever finds it run out finds an unknown outcome.
  update public.task_steps s set lease_expires_at = private.now() + interval '60 seconds' where s.step_id = v_step.step_id;
  perform private.emit('EFFECT_SENT', v_effect.task_id, v_step.agent, v_effect.idempotency_key || ':sent:' || (v_effect.attempt + 1),
    jsonb_build_object('effect_id', p_effect_id));
  return jsonb_build_object('status', 'sent');
end
$$;
comment on function api.start_effect(uuid, integer, uuid) is
  'Marks a reserved effect as sent, committed before the call leaves. Refuses stale_lease; and what reserve_effect refuses, when it no longer holds: a stop or a switch makes it wait, anything else ends the task as rejected.';

create or replace function private.close_effect(p_effect_id uuid, p_status text, p_receipt jsonb) returns void
language plpgsql set search_path = ''
as $$
declare
  v_effect public.effects;
  v_agent text;
begin
  update public.effects e set status = p_status, receipt_json = p_receipt, last_error = left(p_receipt ->> 'error', 500),
    confirmed_at = case when p_status = 'confirmed' then private.now() end
  where e.effect_id = p_effect_id returning * into v_effect;
  select s.agent into v_agent from public.task_steps s where s.step_id = v_effect.step_id;
  perform private.emit('EFFECT_' || upper(p_status), v_effect.task_id, v_agent, v_effect.idempotency_key || ':' || p_status || ':' || v_effect.attempt,
    jsonb_build_object('effect_id', p_effect_id, 'receipt', p_receipt));
  if p_status = 'confirmed' then
    if v_effect.kind = 'access' then
      perform private.grant_access(v_effect, p_receipt);
    elsif v_effect.kind = 'trade' and v_effect.channel = 'http-bridge' then
      perform private.book_report(v_effect, p_receipt);
    end if;
    perform private.emit('PUBLISH_OK', v_effect.task_id, v_agent, v_effect.idempotency_key || ':published',
      jsonb_build_object('effect_id', p_effect_id, 'channel', v_effect.channel, 'receipt', p_receipt));
    perform private.finish_step(v_effect.step_id, jsonb_build_object('output', p_receipt));
    perform private.advance(array[v_effect.step_id]);
  end if;
end
$$;
