-- The promise of this file: one body takes every update, whatever asks for it; a command is obeyed by the function that owns
-- its subject; the clock's jobs are one list.
-- Refuses: sender_not_personal, not_a_member, rate_limited, pairing_failed, invalid_request, and what a command refuses.

drop function private.act_on_intent(public.members, jsonb, text, text, text);

create function private.obey(p_member public.members, p_intent jsonb, p_channel text) returns jsonb
language plpgsql set search_path = ''
as $$
begin
  return case p_intent ->> 'type'
    when 'stop' then private.on_stop(p_member, p_intent, p_channel)
    when 'resume' then private.on_resume(p_member, p_intent, p_channel)
    when 'confirm' then private.on_confirm(p_member, p_intent, p_channel)
    when 'breakglass' then private.on_breakglass(p_member, p_intent, p_channel)
    when 'resolve' then private.on_resolve(p_member, p_intent, p_channel)
    when 't3' then private.on_t3(p_member, p_intent, p_channel)
    when 'positions' then private.on_positions(p_member, p_intent, p_channel)
    when 'pnl' then private.on_pnl(p_member, p_intent, p_channel)
  end;
end
$$;
comment on function private.obey(public.members, jsonb, text) is 'The commands of members, each in the file that owns its subject.';

create function private.act_on_intent(p_member public.members, p_intent jsonb, p_from_id text, p_channel text, p_update jsonb, p_signed jsonb)
returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_type text := p_intent ->> 'type';
  v_result jsonb;
begin
  if v_type = 'start' and p_member.member_id is null then
    if p_intent ->> 'pairing_code' is not null then
      v_result := private.pair_owner(p_from_id, p_intent ->> 'pairing_code');
      if not v_result ? 'refused' then
        return jsonb_build_object('reply', 'paired', 'name', v_result ->> 'name', 'role', 'owner');
      end if;
      return jsonb_build_object('reply', 'stranger', 'telegram_user_id', p_from_id, 'refused', v_result ->> 'refused');
    end if;
    return jsonb_build_object('reply', 'stranger', 'telegram_user_id', p_from_id);
  end if;
  if p_member.member_id is null then
    return private.refuse('not_a_member', 'telegram:' || coalesce(p_from_id, '?'), 'approval_denied', 'update', null, null,
      jsonb_build_object('intent', v_type));
  end if;
  if v_type in ('approve', 'button') then
    v_result := private.decide(p_member, p_intent ->> 'code', p_intent ->> 'nonce', p_intent ->> 'decision', p_intent ->> 'reason',
      p_channel, p_update ->> 'policy_sha256', p_signed, p_update -> 'second_factor');
    return v_result || jsonb_build_object('reply', case when v_result ? 'refused' then 'refused' else 'decided' end);
  end if;
  if v_type in ('stop', 'resume', 'confirm', 'breakglass', 'resolve', 't3', 'positions', 'pnl') then
    v_result := private.obey(p_member, p_intent || jsonb_build_object('second_factor', p_update -> 'second_factor'), p_channel);
    return case when v_result ? 'refused' then v_result || jsonb_build_object('reply', 'refused') else v_result end;
  end if;
  return case v_type
    when 'start' then jsonb_build_object('reply', 'already_member', 'name', p_member.name, 'role', p_member.role)
    when 'help' then jsonb_build_object('reply', 'help', 'role', p_member.role)
    when 'usage' then jsonb_build_object('reply', 'usage', 'about', p_intent ->> 'about')
    when 'pending' then jsonb_build_object('reply', 'pending') || private.pending(p_member.person_id)
    when 'status' then coalesce(private.status_of(p_intent ->> 'id') || jsonb_build_object('reply', 'status'),
      jsonb_build_object('reply', 'refused', 'refused', 'not_found', 'id', p_intent ->> 'id'))
    else '{}'::jsonb end;
end
$$;

create function private.take_update(p_update jsonb, p_signed jsonb) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_from text := p_update ->> 'from_id';
  v_intent jsonb := p_update -> 'intent';
  v_type text := p_update #>> '{intent,type}';
  v_channel text := p_update ->> 'channel';
  v_member public.members;
  v_answer jsonb := '{}';
  v_code text;
  v_outcome text := 'done';
begin
  if coalesce(p_update ->> 'update_id', '') !~ '^[0-9]{1,20}$' or jsonb_typeof(v_intent) is distinct from 'object'
    or coalesce(v_channel, '') not in ('telegram', 'local-simulated') or octet_length(v_intent::text) > 16384 then
    return private.refuse('invalid_request', 'telegram:' || coalesce(v_from, '?'), 'update', 'update', null, 'The update does not have the documented shape.')
      || jsonb_build_object('outcome', 'refused');
  end if;
  -- The lock makes the second copy of an update wait for the first to commit.
  perform pg_advisory_xact_lock(hashtextextended('update:' || (p_update ->> 'update_id'), 0));
  if exists (select 1 from public.telegram_updates u where u.update_id = p_update ->> 'update_id') then
    -- The first answer may be lost: whoever tapped is told again why nothing came of it.
    return jsonb_build_object('outcome', 'duplicate') || coalesce((select jsonb_build_object('refused', u.code)
      from public.telegram_updates u where u.update_id = p_update ->> 'update_id' and u.code is not null and u.from_id is not distinct from v_from), '{}');
  end if;
  select m.* into v_member from public.members m where m.telegram_user_id = v_from and m.status = 'active';
  if v_type = 'ignored' then
    v_outcome := 'ignored';
  elsif v_type = 'refused' then
    v_answer := private.refuse(coalesce(v_intent ->> 'code', 'sender_not_personal'), 'telegram:' || coalesce(v_from, '?'), 'approval_denied', 'update:' || (p_update ->> 'update_id'));
  -- In a private chat the chat is the person.
  elsif v_from is null or (v_type not in ('ignored', 'help', 'usage', 'pending', 'status', 'join') and p_update ->> 'chat_id' is distinct from v_from) then
    v_answer := private.refuse('sender_not_personal', 'telegram:' || coalesce(v_from, '?'), 'approval_denied', 'update:' || (p_update ->> 'update_id'));
  -- Whoever stops is not told to wait.
  elsif v_type is distinct from 'stop' and private.take_token('telegram:' || v_from, private.policy_number(60, 'rate_limits', 'telegram_commands_per_minute'),
    private.policy_number(60, 'rate_limits', 'telegram_commands_per_minute')) > 0 then
    v_answer := private.refuse('rate_limited', 'telegram:' || v_from, 'command', 'update:' || (p_update ->> 'update_id'));
  -- Whoever asks to be let in is no member and stands before the group's door.
  elsif v_type = 'join' then
    v_answer := private.on_join(p_update);
  else
    v_answer := private.act_on_intent(v_member, v_intent, v_from, v_channel, p_update, p_signed);
  end if;
  -- A member who wrote in their own chat is told why nothing happened, of a flood once a minute. Who is no member, and the
  -- accounts that stand for anonymous senders, learn nothing.
  if v_answer ? 'refused' and not v_answer ? 'reply' and v_member.member_id is not null and p_update ->> 'chat_id' = v_from
    and v_type <> 'button' and v_from not in ('777000', '1087968824', '136817688')
    and (v_answer ->> 'refused' <> 'rate_limited' or private.take_token('told:' || v_from, 1, 1) = 0) then
    v_answer := v_answer || jsonb_build_object('reply', 'refused');
  end if;
  v_code := v_answer ->> 'refused';
  insert into public.telegram_updates (update_id, kind, from_id, chat_id, channel, intent, outcome, code, receipt)
  values (p_update ->> 'update_id', coalesce(p_update ->> 'kind', 'unknown'), v_from, p_update ->> 'chat_id', v_channel,
    v_intent - 'pairing_code' - 'nonce' - 'otp', case when v_code is not null then 'refused' else v_outcome end, v_code, case when octet_length(p_update ->> 'receipt') > 65536 then '{"receipt": "too large to keep"}' else coalesce(p_update -> 'receipt', '{}') end);
  -- A button is answered by its callback and the edited card; a command gets a message.
  if v_answer ? 'reply' and v_type <> 'button' then
    perform private.notify('reply', v_from, v_answer, v_answer ->> 'task_id');
  end if;
  return v_answer || jsonb_build_object('outcome', 'recorded', 'callback_answer', case when v_answer ? 'reply' then v_answer end);
end
$$;
comment on function private.take_update(jsonb, jsonb) is
  'Records one update and does what its sender may ask for, once. p_signed is the door''s signature of a decision.';

create or replace function api.handle_update(p_update jsonb) returns jsonb
language sql volatile security definer set search_path = ''
as $$ select private.answer_update(p_update, null) $$;
comment on function api.handle_update(jsonb) is
  'Records one Telegram update that is no decision and does what its sender may ask for, once. Refuses sender_not_personal, not_a_member, rate_limited, pairing_failed, and what the command refuses; a decision is refused as signature_missing. Refusals are recorded too.';

-- The critic's no ends its task before anything had an effect, so nothing is there to undo: the incident and the people
-- who are told are what is left of the escalation.
create or replace function private.reject_failed_evaluations(p_steps uuid[]) returns void
language plpgsql set search_path = ''
as $$
declare
  v_evaluation public.evaluations;
begin
  for v_evaluation in
    select distinct on (e.task_id) e.* from public.evaluations e where e.step_id = any (p_steps) and e.verdict = 'fail' order by e.task_id, e.seq desc
  loop
    perform private.end_task(v_evaluation.task_id, 'rejected', 'critic_rejected');
    perform private.emit('INCIDENT_RAISED', v_evaluation.task_id, v_evaluation.critic, v_evaluation.task_id || ':incident:' || v_evaluation.evaluation_id,
      jsonb_build_object('code', 'critic_rejected', 'score', v_evaluation.score, 'red_flags', to_jsonb(v_evaluation.red_flags), 'undone', '[]'::jsonb));
  end loop;
end
$$;

create or replace function private.run_job(p_job_name text) returns integer
language plpgsql set search_path = ''
as $$
begin
  return case p_job_name
    when 'reap_leases' then private.reap_leases()
    when 'expire_requests' then private.expire_requests()
    when 'prune_history' then private.prune_history()
    when 'release_held' then private.release_held()
    when 'open_account_days' then private.open_account_days()
    when 'end_subscriptions' then private.end_subscriptions()
    when 'check_rotations' then private.check_rotations()
    when 'prune_metrics' then private.prune_metrics()
    when 'expire_confirmations' then private.expire_confirmations()
  end;
end
$$;
