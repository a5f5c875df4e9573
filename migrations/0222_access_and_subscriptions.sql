-- The promise of this file: a door opens for the buyer's own account and for nobody else, for as long as was paid, and
-- closes once. The days of a plan begin with the grant; a renewal begins where the running one ends.
-- Refuses: forbidden.

create table public.user_subscriptions (
  id uuid primary key default gen_random_uuid(),
  user_ref text not null check (user_ref ~ '^telegram:[1-9][0-9]{0,19}$'),
  plan text not null,
  status text not null default 'active',
  starts_at timestamptz not null,
  expires_at timestamptz not null,
  removal_job_id uuid references public.notifications (notification_id),
  removal_at timestamptz,
  removed_at timestamptz,
  removal_failed_at timestamptz,
  task_id text not null unique references public.tasks (task_id),
  order_id text not null unique references public.payment_orders (order_id),
  chat_id text not null,
  invite_id uuid references public.notifications (notification_id),
  created_at timestamptz not null default private.now(),
  constraint subscription_status_is_known check (status in ('active', 'renewed', 'expired')),
  constraint subscription_ends_after_it_starts check (expires_at > starts_at),
  constraint removed_only_after_its_end check (status = 'expired' or (removal_job_id is null and removal_at is null and removed_at is null))
);
comment on table public.user_subscriptions is 'Who may be where until when, one row per paid grant; a renewal ends the row before it as renewed. Not frozen with its task: it lives on after the archive.';
create unique index user_subscriptions_one_active on public.user_subscriptions (user_ref, chat_id) where status = 'active';
create index user_subscriptions_due on public.user_subscriptions (expires_at) where status = 'active';
create index user_subscriptions_by_removal on public.user_subscriptions (removal_job_id) where removal_job_id is not null;
create index user_subscriptions_by_invite on public.user_subscriptions (invite_id) where invite_id is not null;

-- Whatever waits to be carried out for this account at this door and has lost its reason.
create function private.drop_queued(p_kind text, p_user_ref text, p_chat_id text, p_why text) returns void
language sql volatile set search_path = ''
as $$
  update public.notifications n set status = 'failed', last_error = p_why
  where n.kind = p_kind and n.status = 'queued' and 'telegram:' || (n.payload_json ->> 'user_id') = p_user_ref
    and n.payload_json ->> 'chat_id' = p_chat_id
$$;

create function private.grant_access(p_effect public.effects, p_receipt jsonb) returns void
language plpgsql set search_path = ''
as $$
declare
  v_order public.payment_orders;
  v_before public.user_subscriptions;
  v_now timestamptz := private.now();
  v_from timestamptz;
  v_invite uuid := gen_random_uuid();
  v_row public.user_subscriptions;
begin
  select o.* into v_order from public.payment_orders o where o.task_id = p_effect.task_id for update;
  if v_order.order_id is null then
    raise exception 'the effect % grants an access that nobody paid for', p_effect.effect_id;
  elsif v_order.status = 'granted' then
    return;
  end if;
  update public.payment_orders o set status = 'granted', granted_at = v_now where o.order_id = v_order.order_id;
  update public.user_subscriptions s set status = 'renewed'
  where s.user_ref = v_order.account_id and s.chat_id = p_effect.destination and s.status = 'active' returning * into v_before;
  v_from := greatest(v_now, v_before.expires_at);
  -- Somebody who renews in time is not put out for a moment by a removal that is already queued.
  update public.user_subscriptions s set removal_job_id = null, removal_at = null
  where s.user_ref = v_order.account_id and s.chat_id = p_effect.destination and s.removed_at is null and s.removal_job_id in (
    select n.notification_id from public.notifications n where n.kind = 'removal' and n.status = 'queued');
  perform private.drop_queued('removal', v_order.account_id, p_effect.destination, 'renewed before it was carried out');
  insert into public.notifications (notification_id, kind, recipient, payload_json, task_id)
  values (v_invite, 'reply', v_order.buyer_telegram_id, jsonb_strip_nulls(jsonb_build_object('reply', 'access_granted', 'plan', v_order.plan,
    'expires_at', private.iso(v_from + make_interval(days => v_order.days)), 'invite_link', p_receipt ->> 'invite_link',
    'link_expires_at', p_receipt ->> 'link_expires_at')), v_order.task_id);
  insert into public.user_subscriptions (user_ref, plan, starts_at, expires_at, task_id, order_id, chat_id, invite_id)
  values (v_order.account_id, v_order.plan, v_from, v_from + make_interval(days => v_order.days), v_order.task_id, v_order.order_id,
    p_effect.destination, v_invite) returning * into v_row;
end
$$;
comment on function private.grant_access(public.effects, jsonb) is
  'Called when an access effect is confirmed: the order is granted, the subscription runs from now or from the end of the one before, and the buyer is sent the link.';

-- p_update: an update whose intent is a request to join. Whoever asks is judged by their own id alone. The handler says
-- in vip_chat_id which door is ours; every other, and every one where it says none, is left to whoever keeps it.
create function private.on_join(p_update jsonb) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_user text := p_update #>> '{intent,user_id}';
  v_chat text := p_update #>> '{intent,chat_id}';
  v_subscription public.user_subscriptions;
begin
  if coalesce(v_user, '') !~ '^[1-9][0-9]{0,19}$' or coalesce(v_chat, '') !~ '^-?[1-9][0-9]{0,19}$' then
    return private.refuse('invalid_request', 'telegram:' || coalesce(left(v_user, 32), '?'), 'access.join', 'update', null, 'Who asks, or where, is not said.');
  end if;
  if p_update ->> 'vip_chat_id' is distinct from v_chat then
    return jsonb_build_object('join', 'not_ours');
  end if;
  select s.* into v_subscription from public.user_subscriptions s
  where s.user_ref = 'telegram:' || v_user and s.chat_id = v_chat and s.status = 'active' and s.expires_at > private.now() for share;
  if v_subscription.id is null then
    if not exists (select 1 from public.notifications n where n.kind = 'join_refusal' and n.status = 'queued'
      and n.payload_json ->> 'chat_id' = v_chat and n.payload_json ->> 'user_id' = v_user) then
      perform private.notify('join_refusal', v_chat, jsonb_build_object('chat_id', v_chat, 'user_id', v_user));
    end if;
    return private.refuse('forbidden', 'telegram:' || v_user, 'access.join', 'chat:' || v_chat, null, 'No paid access of this account runs here.');
  end if;
  perform private.drop_queued('join_refusal', v_subscription.user_ref, v_chat, 'access was granted since');
  if not exists (select 1 from public.notifications n where n.kind = 'join_approval' and n.status = 'queued'
    and n.task_id = v_subscription.task_id and n.payload_json ->> 'chat_id' = v_chat) then
    perform private.notify('join_approval', v_chat, jsonb_build_object('chat_id', v_chat, 'user_id', v_user,
      'subscription_id', v_subscription.id), v_subscription.task_id);
  end if;
  insert into public.audit_logs (actor, action, object, task_id, after_json)
  values ('telegram:' || v_user, 'access.join', 'subscription:' || v_subscription.id, v_subscription.task_id, jsonb_build_object('chat_id', v_chat));
  return jsonb_build_object('join', 'approved');
end
$$;
comment on function private.on_join(jsonb) is
  'Somebody asks to be let in: the account whose access runs is queued for approval, anybody else for refusal.';

-- False where somebody is being let in at this moment: the next round removes whoever was.
create function private.end_subscription(p_subscription public.user_subscriptions) returns boolean
language plpgsql set search_path = ''
as $$
declare
  v_job uuid := gen_random_uuid();
begin
  -- This waits for a claim that holds the row, and only then is it to be seen whether it was claimed.
  perform private.drop_queued('join_approval', p_subscription.user_ref, p_subscription.chat_id, 'the subscription ended first');
  if exists (select 1 from public.notifications n where n.kind = 'join_approval' and n.status = 'sending'
    and 'telegram:' || (n.payload_json ->> 'user_id') = p_subscription.user_ref and n.payload_json ->> 'chat_id' = p_subscription.chat_id) then
    return false;
  end if;
  insert into public.notifications (notification_id, kind, recipient, payload_json, task_id)
  values (v_job, 'removal', p_subscription.chat_id, jsonb_build_object('chat_id', p_subscription.chat_id, 'user_id', substr(p_subscription.user_ref, 10),
    'subscription_id', p_subscription.id), p_subscription.task_id);
  update public.user_subscriptions s set status = 'expired', removal_job_id = v_job, removal_at = private.now() where s.id = p_subscription.id;
  perform private.notify('reply', substr(p_subscription.user_ref, 10), jsonb_build_object('reply', 'access_ended', 'plan', p_subscription.plan),
    p_subscription.task_id);
  return true;
end
$$;

-- What became of earlier removals and invitations: a failed one is somebody's work, once.
create function private.watch_subscriptions() returns void
language plpgsql set search_path = ''
as $$
declare
  v_found record;
begin
  update public.user_subscriptions s set removed_at = n.sent_at from public.notifications n
  where n.notification_id = s.removal_job_id and n.status = 'sent' and s.removed_at is null;
  -- A removal that was not carried out on somebody who may be there again is nobody's work.
  update public.user_subscriptions s set removal_job_id = null, removal_at = null from public.notifications n
  where n.notification_id = s.removal_job_id and n.status = 'failed' and s.removal_failed_at is null
    and exists (select 1 from public.user_subscriptions o where o.user_ref = s.user_ref and o.chat_id = s.chat_id and o.status = 'active');
  for v_found in
    update public.user_subscriptions s set removal_failed_at = private.now() from public.notifications n
    where n.notification_id = s.removal_job_id and n.status in ('failed', 'blocked') and s.removal_failed_at is null
    returning s.id, s.task_id, n.last_error
  loop
    perform private.raise_alert('removal_failed', 'critical', 'subscription:' || v_found.id, v_found.last_error, null, v_found.task_id);
  end loop;
  for v_found in
    update public.user_subscriptions s set invite_id = null from public.notifications n
    where n.notification_id = s.invite_id and s.status = 'active' and n.status in ('failed', 'blocked')
    returning s.id, s.task_id, n.last_error
  loop
    perform private.raise_alert('invite_undelivered', 'warning', 'subscription:' || v_found.id, v_found.last_error, null, v_found.task_id);
  end loop;
end
$$;

create function private.end_subscriptions() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_due public.user_subscriptions;
  v_count integer := 0;
begin
  perform private.act_as('clock', 'subscription.end');
  for v_due in
    select s.* from public.user_subscriptions s
    where s.status = 'active' and s.expires_at <= private.now()
    order by s.id limit 200 for update of s skip locked
  loop
    v_count := v_count + private.end_subscription(v_due)::integer;
  end loop;
  perform private.watch_subscriptions();
  return v_count;
end
$$;
comment on function private.end_subscriptions() is
  'The removal job: a subscription past its end is expired and one removal queued, once; a second run finds nothing. A renewed buyer has no row that is due.';
insert into public.jobs (job_name, every_seconds) values ('end_subscriptions', 60);

select private.close_table('public.user_subscriptions');
select private.allow_members('public.user_subscriptions', 'owner', 'operator', 'reviewer');
select private.audit('public.user_subscriptions', 'subscription', 'id');
