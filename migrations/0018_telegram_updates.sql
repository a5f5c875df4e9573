-- The promise of this file: every update is recorded once by its id, in whatever order it comes, and what it
-- asks for happens in the same transaction. Refuses: not_a_member, rate_limited, pairing_failed, sender_not_personal,
-- and what private.decide refuses.

create table public.telegram_updates (
  update_id text primary key check (update_id ~ '^[0-9]{1,20}$'),
  received_at timestamptz not null default private.now(),
  kind text not null,
  from_id text,
  chat_id text,
  channel text not null,
  intent jsonb not null,
  outcome text not null,
  code text references private.refusal_codes (code),
  receipt jsonb not null,
  constraint update_channel_is_known check (channel in ('telegram', 'local-simulated')),
  constraint update_outcome_is_known check (outcome in ('done', 'refused', 'ignored'))
);
comment on table public.telegram_updates is 'Every update that arrived, masked, once; refusals included.';
create index telegram_updates_by_time on public.telegram_updates (received_at);
create index telegram_updates_refused on public.telegram_updates (code) where code is not null;

create table private.cursors (
  name text primary key,
  position text not null,
  moved_at timestamptz not null default private.now()
);
comment on table private.cursors is 'Where readers of outside streams stopped.';

create function api.telegram_cursor(p_name text, p_offset text default null) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_position text;
begin
  if p_offset is not null then
    insert into private.cursors as c (name, position) values (p_name, p_offset)
    on conflict (name) do update set position = excluded.position, moved_at = private.now();
  end if;
  select c.position into v_position from private.cursors c where c.name = p_name;
  return jsonb_build_object('offset', v_position);
end
$$;
comment on function api.telegram_cursor(text, text) is 'Reads, and with an offset moves, the place where polling goes on after a restart.';
revoke all on function api.telegram_cursor(text, text) from public;
grant execute on function api.telegram_cursor(text, text) to service_role;

create function private.decisions_of(p_request_id uuid) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('approver', a.approver, 'role', a.role, 'decision', a.decision, 'reason', a.reason,
    'ts', private.iso(a.ts)) order by a.ts), '[]') from public.approvals a where a.request_id = p_request_id
$$;

create function private.pending(p_person_id uuid) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('requests', coalesce((
    select jsonb_agg(jsonb_build_object('code', r.code, 'tier', r.tier, 'action', r.action, 'task_id', r.task_id, 'summary', t.goal,
      'expires_at', private.iso(r.expires_at), 'required_roles', to_jsonb(r.required_slots), 'decided', private.decisions_of(r.request_id),
      'mine', coalesce(p_person_id in (t.requester_person_id, private.person_of(t.actor)), false),
      'unreachable', (select coalesce(jsonb_agg(m.name order by m.name), '[]') from public.members m
        where m.status = 'active' and m.unreachable_since is not null
          and exists (select 1 from unnest(r.required_slots) s where m.role = any (private.slot_roles(s)))))
      order by r.expires_at, r.code)
    from (select * from public.approval_requests o where o.status = 'open' and o.expires_at > private.now() order by o.expires_at limit 20) r
    join public.tasks t using (task_id)), '[]'),
    'unreachable', coalesce((select jsonb_agg(jsonb_build_object('name', m.name, 'role', m.role) order by m.name)
      from public.members m where m.status = 'active' and m.unreachable_since is not null), '[]'))
$$;
comment on function private.pending(uuid) is 'Open requests, the most urgent first, and the members whom the bot cannot reach.';

create function private.status_of(p_id text) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('task_id', t.task_id, 'status', t.status, 'tier', t.risk_tier, 'action', t.action, 'summary', t.goal,
    'reason', t.reason, 'created_at', private.iso(t.created_at), 'id_reused', t.id_reused, 'code', r.code,
    'updated_at', (select private.iso(max(e.ts)) from public.events e where e.task_id = t.task_id),
    'decisions', private.decisions_of(r.request_id),
    'steps', (select jsonb_agg(jsonb_build_object('node_id', s.node_id, 'status', s.status, 'agent', s.agent, 'attempt', s.attempt,
      'last_code', s.last_code) order by s.started_at nulls last, s.created_at, s.node_id)
      from public.task_steps s where s.task_id = t.task_id))
  from public.tasks t
  left join lateral (select q.code, q.request_id from public.approval_requests q where q.task_id = t.task_id
    order by q.requested_at desc, q.code desc limit 1) r on true
  where t.task_id = p_id or t.task_id = (select q.task_id from public.approval_requests q where q.code = p_id)
  limit 1
$$;

create function api.task_status(p_id text) returns jsonb
language sql stable security definer set search_path = ''
as $$ select coalesce(private.status_of(p_id), jsonb_build_object('refused', 'not_found')) $$;
comment on function api.task_status(text) is 'Where a task stands, by task id or request code. Refuses not_found.';
revoke all on function api.task_status(text) from public;
grant execute on function api.task_status(text) to service_role;

create function private.pair_owner(p_from_id text, p_code text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_used integer;
begin
  -- All guesses of all accounts share one bucket: a code cannot be tried out.
  if private.take_token('pairing', 10, 10) > 0 then
    return private.refuse('rate_limited', 'telegram:' || p_from_id, 'member.pair', 'member:' || p_from_id);
  end if;
  update private.pairing_codes c set used_at = private.now()
  where c.code_sha256 = private.sha256_hex(p_code) and c.used_at is null and c.created_at > private.now() - interval '7 days'
    and not exists (select 1 from public.members m where m.role = 'owner' and m.status = 'active');
  get diagnostics v_used = row_count;
  if v_used = 0 then
    return private.refuse('pairing_failed', 'telegram:' || p_from_id, 'member.pair', 'member:' || p_from_id);
  end if;
  return api.add_member(jsonb_build_object('role', 'owner', 'name', 'owner-' || p_from_id, 'telegram_user_id', p_from_id), 'pairing-code');
end
$$;

-- What a member's intent does. The answer names the reply and, where there is one, the refusal.
create function private.act_on_intent(p_member public.members, p_intent jsonb, p_from_id text, p_channel text, p_policy_sha256 text)
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
      p_channel, p_policy_sha256);
    return v_result || jsonb_build_object('reply', case when v_result ? 'refused' then 'refused' else 'decided' end);
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

create function api.handle_update(p_update jsonb) returns jsonb
language plpgsql security definer set search_path = ''
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
    return jsonb_build_object('outcome', 'duplicate');
  end if;
  select m.* into v_member from public.members m where m.telegram_user_id = v_from and m.status = 'active';
  if v_type = 'ignored' then
    v_outcome := 'ignored';
  elsif v_type = 'refused' then
    v_answer := private.refuse(coalesce(v_intent ->> 'code', 'sender_not_personal'), 'telegram:' || coalesce(v_from, '?'), 'approval_denied', 'update:' || (p_update ->> 'update_id'));
  -- In a private chat the chat is the person.
  elsif v_from is null or (v_type in ('approve', 'button', 'start') and p_update ->> 'chat_id' <> v_from) then
    v_answer := private.refuse('sender_not_personal', 'telegram:' || coalesce(v_from, '?'), 'approval_denied', 'update:' || (p_update ->> 'update_id'));
  elsif private.take_token('telegram:' || v_from, private.policy_number(60, 'rate_limits', 'telegram_commands_per_minute'),
    private.policy_number(60, 'rate_limits', 'telegram_commands_per_minute')) > 0 then
    v_answer := private.refuse('rate_limited', 'telegram:' || v_from, 'command', 'update:' || (p_update ->> 'update_id'));
  else
    v_answer := private.act_on_intent(v_member, v_intent, v_from, v_channel, p_update ->> 'policy_sha256');
  end if;
  v_code := v_answer ->> 'refused';
  insert into public.telegram_updates (update_id, kind, from_id, chat_id, channel, intent, outcome, code, receipt)
  values (p_update ->> 'update_id', coalesce(p_update ->> 'kind', 'unknown'), v_from, p_update ->> 'chat_id', v_channel,
    v_intent - 'pairing_code' - 'nonce', case when v_code is not null then 'refused' else v_outcome end, v_code, case when octet_length(p_update ->> 'receipt') > 65536 then '{"receipt": "too large to keep"}' else coalesce(p_update -> 'receipt', '{}') end);
  -- A button is answered by its callback and the edited card; a command gets a message.
  if v_answer ? 'reply' and v_type <> 'button' then
    perform private.notify('reply', v_from, v_answer, v_answer ->> 'task_id');
  end if;
  return v_answer || jsonb_build_object('outcome', 'recorded', 'callback_answer', case when v_answer ? 'reply' then v_answer end);
end
$$;
comment on function api.handle_update(jsonb) is
  'Records one Telegram update and does what its sender may ask for, once. Refuses sender_not_personal, not_a_member, rate_limited, pairing_failed and every refusal of a decision; refusals are recorded too.';
revoke all on function api.handle_update(jsonb) from public;
grant execute on function api.handle_update(jsonb) to service_role;

select private.close_table('public.telegram_updates');
select private.allow_members('public.telegram_updates', 'owner', 'operator', 'reviewer');
select private.keep_history('public.telegram_updates');
