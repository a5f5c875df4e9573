-- The promise of this file: what people are told is queued in the transaction that made it true, and every
-- prompt stays on record with channel, recipient, message id and time. Delivery is at least once: a
-- missing card is worse than a second one, and both carry one code.

create table public.notifications (
  notification_id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  status text not null default 'queued',
  kind text not null,
  channel text,
  recipient text,
  task_id text references public.tasks (task_id),
  request_id uuid,
  payload_json jsonb not null,
  edit_message_id text,
  message_id text,
  attempt integer not null default 0,
  run_at timestamptz not null default private.now(),
  worker text,
  lease_expires_at timestamptz,
  created_at timestamptz not null default private.now(),
  sent_at timestamptz,
  last_error text,
  constraint notification_status_is_known check (status in ('queued', 'sending', 'sent', 'blocked', 'failed')),
  constraint notification_kind_is_known check (kind in ('approval_card', 'card_result', 'reply', 'announcement')),
  constraint sent_exactly_when_stamped check ((status = 'sent') = (sent_at is not null)),
  constraint leased_exactly_while_sending check ((status = 'sending') = (lease_expires_at is not null))
);
comment on table public.notifications is 'The notification trail: prompts, edits, replies and announcements; recipient null means the operators'' console.';
create index notifications_due on public.notifications (run_at, seq) where status = 'queued';
create index notifications_leased on public.notifications (lease_expires_at) where status = 'sending';
create index notifications_by_task on public.notifications (task_id) where task_id is not null;
create index notifications_by_request on public.notifications (request_id) where request_id is not null;

create function private.notify(
  p_kind text, p_recipient text, p_payload jsonb, p_task_id text default null, p_request_id uuid default null,
  p_edit_message_id text default null
) returns void
language sql volatile set search_path = ''
as $$
  insert into public.notifications (kind, recipient, payload_json, task_id, request_id, edit_message_id)
  values (p_kind, p_recipient, p_payload, p_task_id, p_request_id, p_edit_message_id)
$$;

-- One announcement to every active member of these roles; to the console where there is none.
create function private.announce(p_payload jsonb, p_roles text[], p_task_id text default null) returns void
language sql volatile set search_path = ''
as $$
  insert into public.notifications (kind, recipient, payload_json, task_id)
  select 'announcement', r.recipient, p_payload, p_task_id
  from (
    select distinct m.telegram_user_id as recipient from public.members m
    where m.status = 'active' and m.telegram_user_id is not null and m.role = any (p_roles)
    union all
    select null where not exists (select 1 from public.members m
      where m.status = 'active' and m.telegram_user_id is not null and m.role = any (p_roles))
  ) r
$$;
comment on function private.announce(jsonb, text[], text) is 'Queues one announcement to every active member of the roles, or to the console.';

create function api.claim_notifications(p_worker text, p_limit integer) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_claimed jsonb;
begin
  update public.notifications n set status = 'queued', lease_expires_at = null
  where n.notification_id in (select l.notification_id from public.notifications l
    where l.status = 'sending' and l.lease_expires_at < v_now order by l.notification_id for update skip locked);
  with pick as materialized (
    select n.notification_id from public.notifications n
    where n.status = 'queued' and n.run_at <= v_now
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
comment on function api.claim_notifications(text, integer) is 'Leases due notifications for 60 seconds, oldest first.';
revoke all on function api.claim_notifications(text, integer) from public;
grant execute on function api.claim_notifications(text, integer) to service_role;

create function api.complete_notifications(p_results jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_blocked text[];
  v_finished uuid[];
begin
  -- A decision that is being written right now is waited for: its result must reach the card that was just sent.
  perform 1 from public.approval_requests q where q.request_id in (
    select n.request_id from jsonb_to_recordset(p_results) as r(notification_id uuid)
    join public.notifications n using (notification_id) where n.kind = 'approval_card')
  order by q.request_id for share;
  with item as (
    select * from jsonb_to_recordset(p_results) as r(notification_id uuid, outcome text, message_id text,
      retry_after numeric, error text, channel text, attempt integer)
  ), finished as (
    update public.notifications n set
      status = case when i.outcome = 'sent' then 'sent' when i.outcome = 'blocked' then 'blocked'
        when i.outcome = 'retry' and n.attempt < 50 then 'queued' else 'failed' end,
      sent_at = case when i.outcome = 'sent' then v_now end,
      message_id = i.message_id, channel = i.channel, last_error = left(i.error, 500), lease_expires_at = null,
      run_at = case when i.outcome = 'retry'
        then v_now + make_interval(secs => least(greatest(coalesce(i.retry_after, least(60, 2 ^ least(n.attempt, 6))), 0), 86400)::double precision)
        else n.run_at end
    from item i where n.notification_id = i.notification_id and n.status = 'sending'
      -- A latecomer whose lease ran out does not speak for whoever holds the message now.
      and n.attempt = coalesce(i.attempt, n.attempt)
    returning n.notification_id, n.recipient, n.status
  )
  select array_agg(distinct f.recipient) filter (where f.status = 'blocked' and f.recipient is not null), array_agg(f.notification_id)
  into v_blocked, v_finished from finished f;
  perform private.catch_up_cards(v_finished);

  -- A member the bot may not write to: said once in the members table, and the others are told.
  perform private.act_as('communicator', 'member.reachability');
  if v_blocked is not null then
    with gone as (
      update public.members m set unreachable_since = v_now, unreachable_reason = 'the bot may not write to this account'
      where m.telegram_user_id = any (v_blocked) and m.status = 'active' and m.unreachable_since is null
      returning m.name, m.role, m.telegram_user_id
    )
    insert into public.notifications (kind, recipient, payload_json)
    select 'announcement', o.telegram_user_id, jsonb_build_object('topic', 'member_unreachable', 'name', g.name, 'role', g.role)
    from gone g left join public.members o on o.status = 'active' and o.role in ('owner', 'operator')
      and o.telegram_user_id is not null and o.unreachable_since is null and o.telegram_user_id <> all (v_blocked);
  end if;
  update public.members m set unreachable_since = null, unreachable_reason = null
  where m.unreachable_since is not null and m.status = 'active' and m.telegram_user_id in (
    select n.recipient from jsonb_to_recordset(p_results) as r(notification_id uuid, outcome text)
    join public.notifications n using (notification_id) where r.outcome = 'sent' and n.status = 'sent');
  return jsonb_build_object('blocked', coalesce(to_jsonb(v_blocked), '[]'));
end
$$;
comment on function api.complete_notifications(jsonb) is
  'Records what became of leased notifications: sent, retry (after seconds), blocked (the member is marked unreachable), failed. A result that names its attempt counts for that attempt alone.';
revoke all on function api.complete_notifications(jsonb) from public;
grant execute on function api.complete_notifications(jsonb) to service_role;

select private.close_table('public.notifications');
select private.allow_members('public.notifications', 'owner', 'operator', 'reviewer');
