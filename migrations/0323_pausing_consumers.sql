-- The promise of this file: a person can hold a consumer and let it go on, add one and send one back, and each of these is
-- on record in that person's name. Refuses: not_found, invalid_request, not_a_member, wrong_role.

-- The administrator sits at the machine. Everybody else who asks must be a member who may stop things.
create function private.pausing_problem(p_actor text) returns text
language sql stable set search_path = ''
as $$
  select case
    when coalesce(btrim(p_actor), '') = '' then 'invalid_request'
    when coalesce(nullif(current_setting('role', true), 'none'), session_user) = 'administrator' then null
    else coalesce((select case when m.role in ('owner', 'operator') then 'allowed' else 'wrong_role' end from public.members m
      where m.status = 'active' and case when p_actor ~ '^telegram:' then m.telegram_user_id = substr(p_actor, 10)
        else lower(m.name) = lower(regexp_replace(p_actor, '^[a-z-]+:', '')) or m.member_id::text = p_actor end
      order by m.role in ('owner', 'operator') desc limit 1), 'not_a_member')
  end
$$;
comment on function private.pausing_problem(text) is 'Null or allowed for the administrator, an owner or an operator; else the code.';

create function private.set_paused(p_consumer text, p_paused boolean, p_actor text, p_reason text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_action text := case when p_paused then 'consumer.pause' else 'consumer.resume' end;
  v_object text := 'consumer:' || coalesce(left(p_consumer, 64), '?');
  v_reason text := left(btrim(p_reason), 500);
  v_problem text := nullif(private.pausing_problem(p_actor), 'allowed');
  v_consumer public.event_consumers;
  v_changed integer;
begin
  if v_problem is not null or (p_paused and coalesce(v_reason, '') = '') then
    return private.refuse(coalesce(v_problem, 'invalid_request'), p_actor, v_action, v_object, null,
      'An owner, an operator or the administrator pauses and resumes; a pause has a reason.');
  end if;
  perform private.act_as(left(p_actor, 200), v_action);
  update public.event_consumers c set paused = p_paused,
    paused_by = case when p_paused then left(p_actor, 200) end, paused_at = case when p_paused then private.now() end,
    pause_reason = case when p_paused then v_reason end
  where c.consumer = p_consumer and c.paused <> p_paused;
  get diagnostics v_changed = row_count;
  select c.* into v_consumer from public.event_consumers c where c.consumer = p_consumer;
  if v_consumer.consumer is null then
    return private.refuse('not_found', p_actor, v_action, v_object, null, 'No consumer has this name.');
  end if;
  -- The row has no place for why it goes on; the log has.
  if v_changed > 0 and not p_paused and v_reason <> '' then
    insert into public.audit_logs (actor, action, object, after_json)
    values (left(p_actor, 200), 'consumer.resume_reason', v_object, jsonb_build_object('reason', v_reason));
  end if;
  return jsonb_build_object('consumer', p_consumer, 'paused', v_consumer.paused, 'changed', v_changed > 0,
    'paused_by', v_consumer.paused_by, 'paused_at', private.iso(v_consumer.paused_at), 'reason', v_consumer.pause_reason);
end
$$;

create function api.pause_consumer(p_consumer text, p_actor text, p_reason text) returns jsonb
language sql volatile security definer set search_path = ''
as $$ select private.set_paused(p_consumer, true, p_actor, p_reason) $$;
comment on function api.pause_consumer(text, text, text) is
  'The consumer is handed nothing more; what it holds it may finish. A repeat changes nothing. Refuses not_found, invalid_request, not_a_member, wrong_role: for the administrator, or in the name of an owner or operator.';
revoke all on function api.pause_consumer(text, text, text) from public;
grant execute on function api.pause_consumer(text, text, text) to administrator, service_role;

create function api.resume_consumer(p_consumer text, p_actor text, p_reason text default null) returns jsonb
language sql volatile security definer set search_path = ''
as $$ select private.set_paused(p_consumer, false, p_actor, p_reason) $$;
comment on function api.resume_consumer(text, text, text) is
  'The consumer goes on where it stood. A repeat changes nothing. Refuses not_found, invalid_request, not_a_member, wrong_role: for the administrator, or in the name of an owner or operator.';
revoke all on function api.resume_consumer(text, text, text) from public;
grant execute on function api.resume_consumer(text, text, text) to administrator, service_role;

create function api.add_consumer(p_consumer text, p_from text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_from private.event_position := case p_from when 'beginning' then row(0, '0', 0)::private.event_position
    when 'now' then private.settled_position() else private.position_of(p_from) end;
begin
  if coalesce(p_consumer, '') !~ '^[a-z][a-z0-9_-]{0,31}$' or v_from is null or coalesce(p_actor, '') = ''
    or exists (select 1 from public.event_consumers c where c.consumer = p_consumer
      and not exists (select 1 from public.event_positions p where p.consumer = p_consumer)) then
    return private.refuse('invalid_request', p_actor, 'consumer.add', 'consumer:' || coalesce(left(p_consumer, 64), '?'), null,
      'A reader has a name of its own in small letters, and begins at the beginning, now, or at a position.');
  end if;
  perform private.act_as(left(p_actor, 200), 'consumer.add');
  insert into public.event_consumers (consumer) values (p_consumer) on conflict do nothing;
  insert into public.event_positions (consumer, generation, written_by, seq)
  values (p_consumer, (v_from).generation, (v_from).written_by, (v_from).seq) on conflict do nothing;
  return (select jsonb_build_object('consumer', p.consumer, 'position',
    private.position_text(row(p.generation, p.written_by, p.seq)::private.event_position)) from public.event_positions p where p.consumer = p_consumer);
end
$$;
comment on function api.add_consumer(text, text, text) is
  'A new reader of the events, from the beginning, from now, or from a position; one that is known keeps its place. Refuses invalid_request. Administrator only.';
revoke all on function api.add_consumer(text, text, text) from public;
grant execute on function api.add_consumer(text, text, text) to administrator;

create function api.rewind_consumer(p_consumer text, p_position text, p_back integer, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_held public.event_positions;
  v_here private.event_position;
  v_to private.event_position := private.position_of(p_position);
  v_count integer;
begin
  select p.* into v_held from public.event_positions p where p.consumer = p_consumer for update;
  if v_held.consumer is null then
    return private.refuse('not_found', p_actor, 'consumer.rewind', 'consumer:' || coalesce(left(p_consumer, 64), '?'), null, 'No reader of this name is known.');
  end if;
  v_here := row(v_held.generation, v_held.written_by, v_held.seq)::private.event_position;
  -- Back by so many events, at most to the beginning of the generation that the reader stands in.
  if p_position is null and p_back > 0 then
    select v_held.generation, e.written_by, e.seq into v_to from public.events e
    where (e.written_by, e.seq) <= (v_held.written_by, v_held.seq)
      and e.seq > coalesce((select max(g.up_to_seq) from public.event_generations g where g.generation < v_held.generation), 0)
    order by e.written_by desc, e.seq desc offset p_back limit 1;
    if not found then
      v_to := row(v_held.generation, '0', 0)::private.event_position;
    end if;
  end if;
  if v_to is null or (p_position is null) = (p_back is null) or v_to > v_here or coalesce(p_actor, '') = '' then
    return private.refuse('invalid_request', p_actor, 'consumer.rewind', 'consumer:' || p_consumer, null,
      'A reader goes back, to a position that it was given or by a number of events.');
  end if;
  -- What is read again on purpose is no repeated execution.
  update public.consumer_receipts r set rewound = r.rewound + 1, consumed_at = null, lease_token = null, lease_expires_at = null
  from public.events e where r.consumer = p_consumer and e.event_id = r.event_id and r.consumed_at is not null
    and (e.seq > coalesce((select g.up_to_seq from public.event_generations g where g.generation = (v_to).generation), 9223372036854775807)
      or (e.written_by, e.seq) > ((v_to).written_by, (v_to).seq)
        and e.seq > coalesce((select max(g.up_to_seq) from public.event_generations g where g.generation < (v_to).generation), 0));
  get diagnostics v_count = row_count;
  update public.consumer_receipts r set lease_token = null, lease_expires_at = null where r.consumer = p_consumer and r.lease_token = v_held.lease_token;
  update public.event_positions p set generation = (v_to).generation, written_by = (v_to).written_by, seq = (v_to).seq,
    lease_token = null, lease_expires_at = null, leased_up_to = null where p.consumer = p_consumer;
  insert into public.audit_logs (actor, action, object, before_json, after_json)
  values (left(p_actor, 200), 'consumer.rewind', 'consumer:' || p_consumer, jsonb_build_object('position', private.position_text(v_here)),
    jsonb_build_object('position', private.position_text(v_to), 'taken_back', v_count));
  return jsonb_build_object('consumer', p_consumer, 'position', private.position_text(v_to), 'taken_back', v_count);
end
$$;
comment on function api.rewind_consumer(text, text, integer, text) is
  'Sends a reader back, to a position or by a number of events: it reads from there again. Refuses not_found, invalid_request.';
revoke all on function api.rewind_consumer(text, text, integer, text) from public;
grant execute on function api.rewind_consumer(text, text, integer, text) to service_role, administrator;
