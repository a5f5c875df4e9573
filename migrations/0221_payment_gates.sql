-- The promise of this file: what was paid opens a door only while everything holds: checks complete, amount under the cap at
-- a fresh price or an owner's own word, and the last grant long enough ago. Money that is refused is on record.
-- Refuses: not_found, wrong_role, self_approval, invalid_request; and as gates no_channel, unknown_order, digest_drift,
-- kyc_incomplete, quote_stale, limit_exceeded, cool_down.

create table public.payment_overrides (
  override_id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  order_id text not null references public.payment_orders (order_id),
  max_usdt numeric(38, 18) not null check (max_usdt > 0),
  owner_member_id uuid not null references public.members (member_id),
  owner_name text not null,
  reason text not null check (length(reason) between 1 and 500),
  recorded_by text not null,
  created_at timestamptz not null default private.now()
);
comment on table public.payment_overrides is 'An owner''s word that one order may exceed the cap, up to which amount and why; the newest counts and is bound by the digest.';
create index payment_overrides_by_order on public.payment_overrides (order_id, seq desc);
create index payment_overrides_by_owner on public.payment_overrides (owner_member_id);

create function api.override_payment_limit(p_override jsonb, p_actor text default 'administrator') returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_order public.payment_orders;
  v_owner public.members;
  v_object text := 'order:' || coalesce(left(p_override ->> 'order_id', 32), '?');
begin
  if coalesce(p_override ->> 'max_usdt', '') !~ '^[0-9]{1,12}(\.[0-9]{1,18})?$' or (p_override ->> 'max_usdt')::numeric <= 0
    or coalesce(length(p_override ->> 'reason'), 0) not between 1 and 500 or coalesce(p_actor, '') = '' then
    return private.refuse('invalid_request', p_actor, 'order.override', v_object, null, 'An override has an amount in USDT and a reason.');
  end if;
  select o.* into v_order from public.payment_orders o where o.order_id = p_override ->> 'order_id' for update;
  if v_order.order_id is null then
    return private.refuse('not_found', p_actor, 'order.override', v_object);
  end if;
  select m.* into v_owner from public.members m where m.status = 'active' and lower(m.name) = lower(p_override ->> 'owner');
  if v_owner.role is distinct from 'owner' then
    return private.refuse('wrong_role', p_actor, 'order.override', v_object, v_order.task_id, 'Only an active owner may let an order exceed the cap.');
  end if;
  if v_owner.person_id = private.person_of(v_order.account_id) then
    return private.refuse('self_approval', p_actor, 'order.override', v_object, v_order.task_id);
  end if;
  perform private.act_as('owner:' || v_owner.name, 'order.override');
  insert into public.payment_overrides (order_id, max_usdt, owner_member_id, owner_name, reason, recorded_by)
  values (v_order.order_id, (p_override ->> 'max_usdt')::numeric, v_owner.member_id, v_owner.name, p_override ->> 'reason', left(p_actor, 200));
  perform private.announce(jsonb_build_object('topic', 'payment_override', 'name', v_owner.name, 'role', 'owner', 'by', p_actor,
    'code', v_order.order_id, 'value', p_override ->> 'max_usdt', 'reason', p_override ->> 'reason'), array['owner'], v_order.task_id);
  return jsonb_build_object('order_id', v_order.order_id, 'max_usdt', p_override ->> 'max_usdt', 'owner', v_owner.name);
end
$$;
comment on function api.override_payment_limit(jsonb, text) is
  'Records an owner''s word that an order may exceed the cap: order_id, owner (name), max_usdt, reason. Whoever approved before is asked anew. Refuses invalid_request, not_found, wrong_role, self_approval. Administrator only.';
revoke all on function api.override_payment_limit(jsonb, text) from public;
grant execute on function api.override_payment_limit(jsonb, text) to administrator;

-- Settings and not usage; as text, for they are digested. Of policy and account the stricter counts.
create function private.payment_limits(p_account text) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'max_single_tx_usdt', trim_scale(least(private.policy_number(0, 'limits', 'payments', 'max_single_tx_usdt'), l.max_single_tx_usdt))::text,
    'cool_down_minutes', greatest(private.policy_number(525600, 'limits', 'payments', 'cool_down_minutes'), l.cool_down_minutes)::text,
    'quote_symbol', private.policy_value('payments', 'quote_symbol'),
    'quote_sources', private.policy_value('trading', 'quote_sources'),
    'max_quote_age_seconds', private.policy_number(0, 'trading', 'max_quote_age_seconds')::text,
    'overrides', coalesce((select jsonb_object_agg(v.order_id, trim_scale(v.max_usdt)::text) from (
      select distinct on (x.order_id) x.order_id, x.max_usdt from public.payment_overrides x join public.payment_orders o using (order_id)
      where o.account_id = p_account order by x.order_id, x.seq desc) v), '{}'))
  from (select 1) one left join public.limits l on l.account_id = p_account
$$;
comment on function private.payment_limits(text) is
  'What limits the payments of an account: cap, cool-down, quote, and the owners'' overrides of its orders; bound by the digest.';

-- What the gates look at, and the first one that does not hold. Equality passes.
create function private.payment_facts(p_order public.payment_orders) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_limits jsonb := private.payment_limits(p_order.account_id);
  v_cap numeric := (v_limits ->> 'max_single_tx_usdt')::numeric;
  v_override numeric := (v_limits #>> array['overrides', p_order.order_id])::numeric;
  v_amount numeric := (select p.amount from public.payments p where p.order_id = p_order.order_id);
  v_quote record;
  v_usdt numeric;
  v_last timestamptz;
  v_until timestamptz;
  v_in_flight boolean;
begin
  select q.price, q.source, q.observed_at into v_quote from public.quotes q
  where q.symbol = v_limits ->> 'quote_symbol' and v_limits -> 'quote_sources' ? q.source and q.price > 0
    and q.observed_at >= v_now - make_interval(secs => (v_limits ->> 'max_quote_age_seconds')::double precision)
    and q.observed_at <= v_now + interval '5 seconds'
  order by q.observed_at desc limit 1;
  v_usdt := v_amount * v_quote.price;
  select max(o.granted_at) into v_last from public.payment_orders o where o.account_id = p_order.account_id and o.order_id <> p_order.order_id;
  v_until := v_last + make_interval(mins => (v_limits ->> 'cool_down_minutes')::integer);
  -- A grant under way counts as one: two payments at once must not both find the account rested.
  v_in_flight := exists (select 1 from public.payment_orders o join public.effects e using (task_id)
    where o.account_id = p_order.account_id and o.order_id <> p_order.order_id and e.kind = 'access' and e.status in ('reserved', 'sent', 'unknown'));
  return jsonb_build_object('amount', trim_scale(v_amount)::text, 'currency', p_order.currency, 'amount_usdt', trim_scale(v_usdt)::text,
    'quote', case when v_quote.price is not null then jsonb_build_object('symbol', v_limits ->> 'quote_symbol', 'source', v_quote.source,
      'price', trim_scale(v_quote.price)::text, 'observed_at', private.iso(v_quote.observed_at)) end,
    'cap_usdt', trim_scale(v_cap)::text, 'override_usdt', trim_scale(v_override)::text, 'kyc_complete', private.kyc_complete(p_order.account_id),
    'cool_down_until', private.iso(v_until),
    'problem', case
      when p_order.status <> 'paid' or v_amount is null then 'unknown_order'
      when not private.kyc_complete(p_order.account_id) then 'kyc_incomplete'
      when v_usdt is null then 'quote_stale'
      when v_usdt > greatest(v_cap, coalesce(v_override, 0)) then 'limit_exceeded'
      when v_in_flight or v_until > v_now then 'cool_down' end);
end
$$;
comment on function private.payment_facts(public.payment_orders) is 'The gates of a payment with what they saw; problem is null when all of them hold.';

create function private.access_problem(p_task public.tasks, p_payload jsonb, p_channel text) returns text
language plpgsql volatile set search_path = ''
as $$
declare
  v_order public.payment_orders;
  v_facts jsonb;
begin
  select o.* into v_order from public.payment_orders o where o.task_id = p_task.task_id;
  if p_channel is distinct from 'telegram' then
    return 'no_channel';
  elsif v_order.order_id is null then
    return 'unknown_order';
  elsif p_payload is distinct from private.proposed(p_task.task_id, 'grant') or p_payload ->> 'order_id' is distinct from v_order.order_id
    or p_payload ->> 'telegram_user_id' is distinct from v_order.buyer_telegram_id or p_payload ->> 'plan' is distinct from v_order.plan
    or p_payload ->> 'days' is distinct from v_order.days::text then
    return 'digest_drift';
  end if;
  -- One grant of an account after the other: the second waits here and then counts the first.
  perform 1 from public.limits l where l.account_id = v_order.account_id for no key update;
  v_facts := private.payment_facts(v_order);
  if v_facts ->> 'problem' = 'limit_exceeded' then
    perform private.raise_alert('limit_exceeded', 'critical', 'order:' || v_order.order_id, (v_facts ->> 'amount_usdt') || ' USDT',
      coalesce(v_facts ->> 'override_usdt', v_facts ->> 'cap_usdt') || ' USDT', p_task.task_id);
  end if;
  return v_facts ->> 'problem';
end
$$;
comment on function private.access_problem(public.tasks, jsonb, text) is
  'All gates of a granted access, at the reservation and again at the start; null when they hold. Holds the account''s row from then on.';

create function api.rehearse_access(p_task_id text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_order public.payment_orders;
begin
  select o.* into v_order from public.payment_orders o where o.task_id = p_task_id;
  if v_order.order_id is null then
    return jsonb_build_object('refused', 'unknown_order');
  end if;
  return private.payment_facts(v_order) || jsonb_build_object('order_id', v_order.order_id, 'telegram_user_id', v_order.buyer_telegram_id,
    'plan', v_order.plan, 'days', v_order.days::text, 'subscribed_until', (select private.iso(s.expires_at) from public.user_subscriptions s
      where s.user_ref = v_order.account_id and s.status = 'active' order by s.expires_at desc limit 1));
end
$$;
comment on function api.rehearse_access(text) is 'What the gates of a paid order''s task would say now; changes nothing. Refuses unknown_order.';
revoke all on function api.rehearse_access(text) from public;
grant execute on function api.rehearse_access(text) to service_role;

select private.close_table('public.payment_overrides');
select private.allow_members('public.payment_overrides', 'owner', 'operator', 'reviewer');
select private.keep_history('public.payment_overrides');
select private.audit('public.payment_overrides', 'override', 'override_id');
