-- The promise of this file: a communicator that a person paused tells nobody anything until it is resumed; what is queued
-- stays queued. Refuses: nothing.

create or replace function api.claim_notifications(p_worker text, p_limit integer) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_claimed jsonb;
  v_lapsed uuid[];
begin
  if private.consumer_is_paused('communicator') then
    return '[]';
  end if;
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
