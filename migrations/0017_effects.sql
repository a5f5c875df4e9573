-- The promise of this file: an effect starts through one function, which recomputes what was approved, and
-- is reserved at most once per key. An outcome that was not seen is unknown and never retried.
-- Refuses: stale_lease, policy_not_active, evaluation_missing, critic_rejected, approval_missing,
-- request_expired, digest_drift, local_decision, t3_execution_disabled, effect_exists, invalid_request.

create table public.effects (
  effect_id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  status text not null default 'reserved',
  tenant_id text not null default 'main',
  task_id text not null references public.tasks (task_id),
  step_id uuid not null references public.task_steps (step_id),
  request_id uuid references public.approval_requests (request_id),
  kind text not null,
  channel text not null,
  destination text,
  idempotency_key text not null unique,
  digest text,
  payload_json jsonb not null,
  receipt_json jsonb,
  attempt integer not null default 0,
  reserved_at timestamptz not null default private.now(),
  sent_at timestamptz,
  confirmed_at timestamptz,
  last_error text,
  constraint effect_kind_is_known check (kind in ('publish', 'record')),
  constraint effect_channel_is_known check (channel in ('telegram', 'console', 'internal')),
  constraint a_record_stays_in_the_house check ((kind = 'record') = (channel = 'internal')),
  constraint effect_status_is_known check (status in ('reserved', 'sent', 'confirmed', 'unknown', 'failed')),
  constraint confirmed_exactly_when_stamped check ((status = 'confirmed') = (confirmed_at is not null))
);
comment on table public.effects is 'The outbox of governed effects: reserved, sent, then confirmed, failed or unknown.';
create index effects_by_task on public.effects (task_id);
create index effects_by_step on public.effects (step_id);
create index effects_by_request on public.effects (request_id) where request_id is not null;
create index effects_unknown on public.effects (seq) where status = 'unknown';

-- Null when the approvals that the task's tier asks for hold now, else the code.
create function private.approval_problem(p_task public.tasks, p_request public.approval_requests, p_channel text) returns text
language sql stable set search_path = ''
as $$
  select case
    when p_request.request_id is null then 'approval_missing'
    when p_request.expires_at <= private.now() then 'request_expired'
    when private.digest_json(private.bound_to(p_task.task_id, p_request.step_id, p_request.expires_at)) <> p_request.digest then 'digest_drift'
    when not private.slots_filled(p_request.request_id) then 'approval_missing'
    when p_task.risk_tier = 'T3' then 't3_execution_disabled'
    when p_channel not in ('console', 'internal') and exists (select 1 from public.approvals a
      where a.request_id = p_request.request_id and a.metadata ->> 'channel' = 'local-simulated') then 'local_decision'
  end
$$;

-- Everything that must hold when an effect is reserved and again when it starts; null when it does.
create function private.effect_problem(p_task public.tasks, p_request public.approval_requests, p_kind text, p_channel text, p_payload jsonb)
returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_tier text := private.effective_tier(p_task);
  v_rule private.approval_rule := private.approval_rule(v_tier);
  v_evaluation public.evaluations := private.gating_evaluation(p_task.task_id);
begin
  return case
    when v_rule is null then 'policy_invalid'
    when private.action_tier(p_task.action) is null then 'unclassified_action'
    when v_evaluation.evaluation_id is null then 'evaluation_missing'
    when v_evaluation.verdict <> 'pass' or v_evaluation.score < v_rule.min_score then 'critic_rejected'
    when v_rule.slots <> '{}' and private.approval_problem(p_task, p_request, p_channel) is not null
      then private.approval_problem(p_task, p_request, p_channel)
    when private.artifacts_altered(v_evaluation) then 'digest_drift'
    -- What needs nobody stays in the house, and what people decided on does not end as a note.
    when p_kind = 'publish' and v_rule.slots = '{}' then 'approval_missing'
    when p_kind = 'record' and v_tier > 'T1' then 'invalid_request'
    -- What is published is the post that people saw, byte for byte, and nothing that would change how it reads.
    when p_kind = 'publish' and not exists (select 1 from public.artifacts a join public.artifacts o on o.step_id = a.step_id
      where o.artifact_id = v_evaluation.artifact_id and a.type = 'post' and p_payload = jsonb_build_object('text', a.content)) then 'digest_drift'
  end;
end
$$;

-- What was approved is no longer what would be done: the approval lapses, the effect's step waits for people again.
create function private.ask_anew(p_request_id uuid, p_effect_step_id uuid) returns void
language plpgsql set search_path = ''
as $$
declare
  v_request public.approval_requests;
  v_human text;
begin
  perform private.act_as('orchestrator', 'approval.supersede');
  update public.approval_requests r set status = 'superseded', closed_at = private.now()
  where r.request_id = p_request_id returning * into v_request;
  perform private.show_result(v_request);
  select s.node_id into v_human from public.task_steps s where s.step_id = v_request.step_id;
  update public.task_steps s set status = 'pending', pending_parents = 1, lease_token = null, lease_expires_at = null,
    waits_for = case when v_human = any (s.waits_for) then s.waits_for else array[v_human] end
  where s.step_id = p_effect_step_id;
  perform private.open_request(v_request.step_id);
end
$$;

create function api.reserve_effect(p_step_id uuid, p_attempt integer, p_lease_token uuid, p_kind text, p_channel text,
  p_destination text, p_payload jsonb, p_policy_sha256 text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_step public.task_steps := private.leased_step(p_step_id, p_attempt, p_lease_token);
  v_task public.tasks;
  v_request public.approval_requests;
  v_effect public.effects;
  v_code text;
  v_key text;
begin
  if v_step.step_id is null then
    return private.refuse_stale(p_step_id, 'effect.reserve');
  end if;
  select t.* into v_task from public.tasks t where t.task_id = v_step.task_id;
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
  v_code := coalesce(private.policy_problem(p_policy_sha256), case
    when not v_step.is_effect or coalesce((p_kind, p_channel) not in (('publish', 'telegram'), ('publish', 'console'), ('record', 'internal')), true)
      or length(p_destination) > 200 or jsonb_typeof(p_payload) is distinct from 'object' or octet_length(p_payload::text) > 65536
      then 'invalid_request'
    else private.effect_problem(v_task, v_request, p_kind, p_channel, p_payload) end);
  if v_code is not null then
    -- A worker with the wrong text is wrong; an approval that no longer fits is asked for again.
    if v_code in ('digest_drift', 'approval_missing')
      and private.approval_problem(v_task, v_request, p_channel) = v_code and v_request.request_id is not null then
      perform private.ask_anew(v_request.request_id, p_step_id);
    end if;
    return private.refuse(v_code, v_step.agent, 'effect.reserve', 'task:' || v_task.task_id, v_task.task_id);
  end if;

  perform private.act_as(v_step.agent, 'effect.reserve');
  insert into public.effects (task_id, step_id, request_id, kind, channel, destination, idempotency_key, digest, payload_json)
  values (v_task.task_id, p_step_id, v_request.request_id, p_kind, p_channel, p_destination, v_key, v_request.digest, p_payload)
  returning * into v_effect;
  if v_request.request_id is not null then
    update public.approval_requests r set status = 'consumed', closed_at = private.now() where r.request_id = v_request.request_id;
  end if;
  update public.tasks t set status = 'publishing' where t.task_id = v_task.task_id and t.status <> 'publishing';
  perform private.emit('EFFECT_RESERVED', v_task.task_id, v_step.agent, v_key || ':reserved', jsonb_build_object('effect_id', v_effect.effect_id, 'kind', p_kind));
  if p_channel = 'internal' then
    perform private.close_effect(v_effect.effect_id, 'confirmed', jsonb_build_object('stored', true));
    return jsonb_build_object('effect_id', v_effect.effect_id, 'status', 'confirmed', 'idempotency_key', v_key);
  end if;
  return jsonb_build_object('effect_id', v_effect.effect_id, 'status', 'reserved', 'idempotency_key', v_key, 'payload', p_payload);
end
$$;
comment on function api.reserve_effect(uuid, integer, uuid, text, text, text, jsonb, text) is
  'The one function through which an effect starts. Refuses stale_lease, policy_not_active, policy_invalid, evaluation_missing, critic_rejected, approval_missing, request_expired, digest_drift (people are asked anew), local_decision, t3_execution_disabled, effect_exists, invalid_request, unclassified_action.';
revoke all on function api.reserve_effect(uuid, integer, uuid, text, text, text, jsonb, text) from public;
grant execute on function api.reserve_effect(uuid, integer, uuid, text, text, text, jsonb, text) to service_role;

create function api.start_effect(p_effect_id uuid, p_attempt integer, p_lease_token uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_step public.task_steps := private.leased_step((select e.step_id from public.effects e where e.effect_id = p_effect_id), p_attempt, p_lease_token);
  v_effect public.effects;
  v_code text;
begin
  select e.* into v_effect from public.effects e where e.effect_id = p_effect_id for update;
  if v_step.step_id is null or v_effect.status is distinct from 'reserved' then
    return private.refuse_stale(v_effect.step_id, 'effect.start');
  end if;
  -- Between reserving and sending lie a crash or a receiver's pause. What no longer holds ends here, and so does
  -- its task: the key of the effect is used.
  select private.effect_problem(t, r, v_effect.kind, v_effect.channel, v_effect.payload_json) into v_code
  from public.tasks t left join public.approval_requests r on r.request_id = v_effect.request_id where t.task_id = v_effect.task_id;
  if v_code is not null then
    perform private.act_as(v_step.agent, 'effect.start');
    perform private.end_task(v_effect.task_id, 'rejected', v_code);
    return private.refuse(v_code, v_step.agent, 'effect.start', 'effect:' || p_effect_id, v_effect.task_id);
  end if;
  perform private.act_as(v_step.agent, 'effect.start');
  update public.effects e set status = 'sent', sent_at = private.now(), attempt = e.attempt + 1 where e.effect_id = p_effect_id;
  -- The lease covers the call; whoever finds it run out finds an unknown outcome.
  update public.task_steps s set lease_expires_at = private.now() + interval '60 seconds' where s.step_id = v_step.step_id;
  perform private.emit('EFFECT_SENT', v_effect.task_id, v_step.agent, v_effect.idempotency_key || ':sent:' || (v_effect.attempt + 1),
    jsonb_build_object('effect_id', p_effect_id));
  return jsonb_build_object('status', 'sent');
end
$$;
comment on function api.start_effect(uuid, integer, uuid) is
  'Marks a reserved effect as sent, committed before the call leaves. Refuses stale_lease; and what reserve_effect refuses, when it no longer holds: then the task ends as rejected.';
revoke all on function api.start_effect(uuid, integer, uuid) from public;
grant execute on function api.start_effect(uuid, integer, uuid) to service_role;

-- Ends an effect and, when it is confirmed, its step.
create function private.close_effect(p_effect_id uuid, p_status text, p_receipt jsonb) returns void
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
    perform private.emit('PUBLISH_OK', v_effect.task_id, v_agent, v_effect.idempotency_key || ':published',
      jsonb_build_object('effect_id', p_effect_id, 'channel', v_effect.channel, 'receipt', p_receipt));
    perform private.finish_step(v_effect.step_id, jsonb_build_object('output', p_receipt));
    perform private.advance(array[v_effect.step_id]);
  end if;
end
$$;

create function private.mark_effect_unknown(p_step_id uuid) returns void
language plpgsql set search_path = ''
as $$
declare
  v_effect public.effects;
begin
  select e.* into v_effect from public.effects e where e.step_id = p_step_id and e.status = 'sent' for update;
  perform private.close_effect(v_effect.effect_id, 'unknown', jsonb_build_object('error', 'the answer was not seen'));
  update public.task_steps s set status = 'stale', lease_token = null, lease_expires_at = null, last_code = 'effect_unknown' where s.step_id = p_step_id;
  update public.tasks t set status = 'paused', reason = 'effect_unknown' where t.task_id = v_effect.task_id;
  perform private.emit('INCIDENT_RAISED', v_effect.task_id, 'orchestrator', v_effect.idempotency_key || ':incident',
    jsonb_build_object('code', 'effect_unknown', 'effect_id', v_effect.effect_id));
  perform private.announce(jsonb_build_object('topic', 'effect_unknown', 'task_id', v_effect.task_id, 'effect_id', v_effect.effect_id,
    'channel', v_effect.channel), array['owner', 'operator'], v_effect.task_id);
end
$$;

create function api.confirm_effect(p_effect_id uuid, p_attempt integer, p_lease_token uuid, p_outcome text, p_receipt jsonb)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_step public.task_steps := private.leased_step((select e.step_id from public.effects e where e.effect_id = p_effect_id), p_attempt, p_lease_token);
  v_effect public.effects;
begin
  if p_outcome is null or p_outcome not in ('confirmed', 'unknown', 'not_sent', 'failed') or octet_length(p_receipt::text) > 16384 then
    return private.refuse('invalid_request', v_step.agent, 'effect.confirm', 'effect:' || p_effect_id, v_step.task_id, 'There is no such outcome.');
  end if;
  select e.* into v_effect from public.effects e where e.effect_id = p_effect_id for update;
  if v_step.step_id is null or v_effect.status is distinct from 'sent' then
    return private.refuse_stale(v_effect.step_id, 'effect.confirm', jsonb_build_object('outcome', p_outcome, 'receipt', p_receipt));
  end if;
  perform private.act_as(v_step.agent, 'effect.confirm');
  if p_outcome = 'confirmed' then
    perform private.close_effect(p_effect_id, 'confirmed', p_receipt);
  elsif p_outcome = 'unknown' then
    perform private.mark_effect_unknown(v_step.step_id);
  elsif p_outcome = 'failed' then
    perform private.close_effect(p_effect_id, 'failed', p_receipt);
    update public.task_steps s set status = 'failed', ended_at = private.now(), lease_token = null, lease_expires_at = null,
      last_error = left(p_receipt ->> 'error', 500) where s.step_id = v_step.step_id;
    perform private.end_task(v_effect.task_id, 'failed', 'unavailable');
  else
    -- Certainly not done: the reservation stays, the step is tried again when the receiver says so.
    update public.effects e set status = 'reserved', receipt_json = p_receipt, last_error = left(p_receipt ->> 'error', 500)
    where e.effect_id = p_effect_id;
    update public.task_steps s set status = 'ready', lease_token = null, lease_expires_at = null, run_at = private.now()
      + make_interval(secs => case when jsonb_typeof(p_receipt -> 'retry_after') = 'number'
        then least(greatest((p_receipt ->> 'retry_after')::numeric, 0), 86400) else least(30, 2 ^ least(v_effect.attempt, 5)) end::double precision)
    where s.step_id = v_step.step_id;
  end if;
  return jsonb_build_object('status', (select e.status from public.effects e where e.effect_id = p_effect_id));
end
$$;
comment on function api.confirm_effect(uuid, integer, uuid, text, jsonb) is
  'Records what became of a sent effect: confirmed, failed, not_sent (tried again), unknown (a person must look). Refuses stale_lease, invalid_request.';
revoke all on function api.confirm_effect(uuid, integer, uuid, text, jsonb) from public;
grant execute on function api.confirm_effect(uuid, integer, uuid, text, jsonb) to service_role;

select private.close_table('public.effects');
select private.allow_members('public.effects', 'owner', 'operator', 'reviewer');
select private.guard_status('public.effects', 'effect', 'effect_id');
select private.freeze_with_task('public.effects');
select private.audit('public.effects', 'effect', 'effect_id');
