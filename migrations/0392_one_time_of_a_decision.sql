-- The promise of this file: a decision that was in time bears a time before its request's expiry. The clock was read for the
-- check and again for the record, so a yes in the last millisecond was stored as one that came too late, and the auditors'
-- query named it. Refuses: what private.decide refuses.

create or replace function private.decide(p_member public.members, p_code text, p_nonce text, p_decision text, p_reason text,
  p_channel text, p_policy_sha256 text, p_signed jsonb, p_proof jsonb) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_actor text := p_member.role || ':' || p_member.name;
  v_request public.approval_requests;
  v_task public.tasks;
  v_object text;
  v_code text;
  v_earlier public.approvals;
  v_takes_back boolean;
  v_now timestamptz;
begin
  if p_decision is null or p_decision not in ('approve', 'reject') then
    return private.refuse('invalid_request', v_actor, 'approval.decide', 'request:' || coalesce(left(p_code, 40), 'button'), null, 'The decision is approve or reject.');
  end if;
  select r.* into v_request from public.approval_requests r
  where r.nonce = p_nonce or r.code = p_code
    or (r.task_id = p_code and r.status in ('open', 'approved', 'consumed', 'rejected', 'expired'))
  order by r.requested_at desc, r.code desc limit 1;
  -- Task before request, as everywhere; what was read before the locks is read again.
  perform 1 from public.tasks t where t.task_id = v_request.task_id for no key update;
  select r.* into v_request from public.approval_requests r where r.request_id = v_request.request_id for update;
  if v_request.request_id is null then
    return private.refuse('unknown_request', v_actor, 'approval.decide', 'request:' || coalesce(left(p_code, 40), 'button'));
  end if;
  v_object := 'request:' || v_request.request_id;
  -- Read once, after the last wait: what is in time is stamped in time.
  v_now := private.now();
  select t.* into v_task from public.tasks t where t.task_id = v_request.task_id;
  select a.* into v_earlier from public.approvals a where a.request_id = v_request.request_id and a.person_id = p_member.person_id
  order by a.decision desc, (a.member_id = p_member.member_id) desc limit 1;
  -- Whoever said yes may still say no, under any of their accounts, until a worker has taken the effect's step.
  v_takes_back := coalesce(p_decision = 'reject' and v_earlier.decision = 'approve'
    and (v_request.status = 'open' or (v_request.status = 'approved' and private.effect_not_begun(v_request.task_id))), false);

  if (v_request.status = 'open' or v_takes_back) and v_request.expires_at <= v_now then
    perform private.expire_request(v_request.request_id);
    v_request.status := 'expired';
  end if;
  v_code := case
    when v_request.status = 'expired' then 'request_expired'
    when v_earlier.member_id = p_member.member_id and (v_earlier.decision = 'reject' or p_decision = 'approve') then 'already_decided'
    when v_request.status <> 'open' and not v_takes_back then 'request_closed'
    -- Nobody answers about work that is being done anew: what is stored of it is half old, half new, for seconds.
    when v_request.status = 'open' and not exists (select 1 from public.task_steps s
      where s.step_id = v_request.step_id and s.status = 'awaiting_approval') then 'replanning'
    when private.policy_problem(p_policy_sha256) is not null then private.policy_problem(p_policy_sha256)
    when not exists (select 1 from unnest(v_request.required_slots) s where p_member.role = any (private.slot_roles(s))) then 'wrong_role'
    when p_member.person_id in (v_task.requester_person_id, private.person_of(v_task.actor)) then 'self_approval'
    when v_earlier.approval_id is not null and not v_takes_back then 'dual_control_violation'
    -- A no to what was approved needs no second look at what that has become.
    when v_request.status = 'open' and private.request_drifted(v_task, v_request) then 'digest_drift'
  end;
  if v_code = 'digest_drift' then
    perform private.act_as('orchestrator', 'approval.supersede');
    update public.approval_requests r set status = 'superseded', closed_at = v_now
    where r.request_id = v_request.request_id returning * into v_request;
    perform private.show_result(v_request);
    perform private.open_request(v_request.step_id);
  end if;
  v_code := coalesce(v_code, private.signature_problem(p_signed, v_request, p_member, p_decision));
  -- Last, so that a decision refused for another reason does not use the code up. Refusing is the safe direction and
  -- needs none: whoever has lost the second device can still say no.
  if v_code is null and p_decision = 'approve' then
    v_code := private.second_factor_problem(p_member, v_request.tier, p_proof);
  end if;
  if v_code is not null then
    return private.refuse(v_code, v_actor, 'approval.decide', v_object, v_request.task_id, null,
      jsonb_build_object('code', v_request.code, 'task_id', v_request.task_id, 'status', v_request.status));
  end if;

  perform private.act_as(v_actor, 'approval.decide');
  insert into public.approvals (ts, task_id, step_id, tier, approver, decision, reason, request_id, member_id, person_id, role, digest, metadata)
  values (v_now, v_request.task_id, v_request.step_id, v_request.tier, p_member.name, p_decision, left(p_reason, 500), v_request.request_id,
    p_member.member_id, p_member.person_id, p_member.role, v_request.digest,
    jsonb_build_object('channel', p_channel, 'telegram_user_id', p_member.telegram_user_id, 'artifacts', v_request.bound_to -> 'artifacts',
      'artifact_ids', (select jsonb_agg(a.artifact_id order by a.type) from private.newest_artifacts(v_request.task_id) a
        where a.step_id = (select o.step_id from public.artifacts o join private.gating_evaluation(v_request.task_id) e using (artifact_id))),
      'policy_sha256', p_policy_sha256, 'code', v_request.code, 'signature', p_signed,
      'second_factor', coalesce(p_proof ->> 'valid' = 'true', false),
      -- A tier that is not the action's own was raised, by the plan or by an older policy; none is ever lowered.
      'tier_override', case when private.action_tier(v_task.action) <> v_request.tier then jsonb_build_object(
        'from', private.action_tier(v_task.action), 'to', v_request.tier, 'reason', 'raised by the plan or the policy it was planned under') end));
  perform private.emit('APPROVAL_DECIDED', v_request.task_id, 'human', v_request.task_id || ':' || v_request.code || ':' || p_member.person_id
      || case when v_takes_back then ':taken_back' else '' end,
    jsonb_build_object('code', v_request.code, 'decision', p_decision, 'role', p_member.role, 'approver', p_member.name));

  if p_decision = 'reject' then
    update public.approval_requests r set status = 'rejected', closed_at = v_now
    where r.request_id = v_request.request_id returning * into v_request;
    update public.task_steps s set status = 'failed', ended_at = v_now
    where s.step_id = v_request.step_id and s.status = 'awaiting_approval';
    perform private.end_task(v_request.task_id, 'rejected', 'approval_rejected');
  elsif private.slots_filled(v_request.request_id) then
    update public.approval_requests r set status = 'approved', closed_at = v_now
    where r.request_id = v_request.request_id returning * into v_request;
    perform private.settle_request(v_request);
  end if;
  perform private.show_result(v_request);
  return jsonb_build_object('code', v_request.code, 'task_id', v_request.task_id, 'decision', p_decision, 'status', v_request.status,
    'tier', v_request.tier, 'required_roles', to_jsonb(v_request.required_slots),
    'task_status', (select t.status from public.tasks t where t.task_id = v_request.task_id));
end
$$;
