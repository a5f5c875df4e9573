-- The promise of this file: a card whose arrival nobody saw is no card without an end: when its request closes, whoever may have
-- it is told in a new message, since there is nothing to edit. A card that was decided says what holds it, and is edited when that changes.
-- Refuses: nothing.

create or replace function private.show_result(p_request public.approval_requests) returns void
language plpgsql set search_path = ''
as $$
begin
  -- Edits may arrive late, but not out of order.
  update public.notifications n set status = 'failed', last_error = 'a newer edit follows'
  where n.request_id = p_request.request_id and n.kind = 'card_result' and n.status = 'queued';
  if p_request.status <> 'open' then
    -- A card that was tried may have arrived unseen: it cannot be edited, so whoever may have it is told in a new message.
    update public.notifications n set status = 'failed', last_error = coalesce(n.last_error || '; ', '') || 'the request closed first'
    where n.request_id = p_request.request_id and n.kind = 'approval_card' and n.status = 'queued';
    insert into public.notifications (kind, recipient, payload_json, task_id, request_id)
    select distinct on (n.recipient) 'card_result', n.recipient, private.card(p_request) || jsonb_build_object('status', p_request.status),
      p_request.task_id, p_request.request_id
    from public.notifications n
    where n.request_id = p_request.request_id and n.kind = 'approval_card' and n.status = 'failed' and n.attempt > 0
      and n.last_error ~ '(the request closed first|overtaken)$';
  end if;
  insert into public.notifications (kind, recipient, payload_json, task_id, request_id, edit_message_id)
  select 'card_result', n.recipient, private.card(p_request) || jsonb_build_object('status', p_request.status), p_request.task_id,
    p_request.request_id, n.message_id
  from public.notifications n
  where n.request_id = p_request.request_id and n.kind = 'approval_card' and n.status = 'sent' and n.message_id is not null;
end
$$;

create or replace function private.catch_up_cards(p_notifications uuid[]) returns void
language plpgsql set search_path = ''
as $$
begin
  -- Tried, perhaps seen, and overtaken by the end of its request: told anew, since there is nothing to edit.
  insert into public.notifications (kind, recipient, payload_json, task_id, request_id)
  select 'card_result', n.recipient, private.card(q) || jsonb_build_object('status', q.status), q.task_id, q.request_id
  from public.notifications n join public.approval_requests q using (request_id)
  where n.notification_id = any (p_notifications) and n.kind = 'approval_card' and n.status = 'queued' and q.status <> 'open';
  insert into public.notifications (kind, recipient, payload_json, task_id, request_id, edit_message_id)
  select 'card_result', n.recipient, private.card(q) || jsonb_build_object('status', q.status), q.task_id, q.request_id, n.message_id
  from public.notifications n join public.approval_requests q using (request_id)
  where n.notification_id = any (p_notifications) and n.kind = 'approval_card' and n.status = 'sent' and n.message_id is not null
    and (q.status <> 'open' or exists (select 1 from public.approvals a where a.request_id = q.request_id and a.ts >= n.created_at));
  update public.notifications n set status = 'failed', last_error = coalesce(n.last_error || '; ', '') || 'overtaken'
  where n.notification_id = any (p_notifications) and n.status = 'queued' and (
    (n.kind = 'approval_card' and exists (select 1 from public.approval_requests q where q.request_id = n.request_id and q.status <> 'open'))
    or (n.kind = 'card_result' and exists (select 1 from public.notifications o where o.request_id = n.request_id and o.kind = 'card_result'
      and o.recipient = n.recipient and o.seq > n.seq)));
end
$$;

create or replace function api.claim_notifications(p_worker text, p_limit integer) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_claimed jsonb;
  v_lapsed uuid[];
begin
  perform private.share_stop_lock();
  -- What a dead worker held is tried again, unless its request has moved on: an old edit never follows a newer one.
  with lapsed as (
    update public.notifications n set status = 'queued', lease_expires_at = null
    where n.notification_id in (select l.notification_id from public.notifications l
      where l.status = 'sending' and l.lease_expires_at < v_now order by l.notification_id for update skip locked)
    returning n.notification_id
  )
  select array_agg(l.notification_id) into v_lapsed from lapsed l;
  if v_lapsed is not null then
    perform private.catch_up_cards(v_lapsed);
  end if;
  -- Nobody is put out who renewed while a worker that died held the removal.
  update public.notifications n set status = 'failed', last_error = 'renewed meanwhile'
  where n.notification_id in (select r.notification_id from public.notifications r
    where r.kind = 'removal' and r.status = 'queued' and exists (select 1 from public.user_subscriptions s
      where s.user_ref = 'telegram:' || (r.payload_json ->> 'user_id') and s.chat_id = r.payload_json ->> 'chat_id'
        and s.status = 'active' and s.expires_at > v_now)
    order by r.notification_id for update skip locked);
  with pick as materialized (
    select n.notification_id from public.notifications n
    where n.status = 'queued' and n.run_at <= v_now
      -- Nor does a newer one start while an older one is on its way.
      and not (n.kind = 'card_result' and exists (select 1 from public.notifications o where o.request_id = n.request_id
        and o.kind = 'card_result' and o.recipient = n.recipient and o.status = 'sending' and o.seq < n.seq))
      -- Letting somebody in is the second half of an effect: it waits while a stop stands.
      and (n.kind <> 'join_approval' or private.stop_problem((select t from public.tasks t where t.task_id = n.task_id)) is null)
    order by n.run_at, n.seq limit least(greatest(p_limit, 1), 100) for update skip locked
  ), claimed as (
    update public.notifications n set status = 'sending', attempt = n.attempt + 1, worker = p_worker,
      lease_expires_at = v_now + interval '60 seconds'
    from pick where n.notification_id = pick.notification_id returning n.*
  )
  select jsonb_agg(jsonb_build_object('notification_id', c.notification_id, 'kind', c.kind, 'recipient', c.recipient,
    'payload', c.payload_json, 'attempt', c.attempt, 'task_id', c.task_id, 'edit_message_id', c.edit_message_id) order by c.seq)
  into v_claimed from claimed c;
  return coalesce(v_claimed, '[]');
end
$$;

-- Whether nobody saw what became of the effect of this task.
create function private.awaits_resolving(p_task public.tasks) returns boolean
language sql immutable set search_path = ''
as $$ select p_task.status = 'paused' and p_task.reason is not distinct from 'effect_unknown' $$;

-- Whoever decided is not left with a card that was true for a moment: an outcome that nobody saw, what came of it, and an
-- approval that a switch held and lets go.
create function private.show_what_holds() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_request public.approval_requests;
begin
  select r.* into v_request from public.approval_requests r
  where r.task_id = new.task_id and r.status in ('approved', 'consumed') order by r.requested_at desc, r.code desc limit 1;
  if v_request.request_id is not null then
    perform private.show_result(v_request);
  end if;
  return null;
end
$$;
create trigger _860_show_what_holds after update on public.tasks for each row
  when (private.awaits_resolving(old) <> private.awaits_resolving(new) or (old.status = 'pending_exec' and new.status = 'running'))
  execute function private.show_what_holds();
