-- The promise of this file: what the chain shows becomes one payment and one task, whoever tells of it and however often;
-- everything else becomes a receipt with the code that says why not. The words in a transfer never reach a table.
-- Refuses: invalid_request, rate_limited, invalid_event, payment_unverified, payment_replayed, unknown_order,
-- order_expired, wrong_amount.

create table public.payments (
  payment_id uuid primary key default gen_random_uuid(),
  order_id text not null unique references public.payment_orders (order_id),
  task_id text not null unique references public.tasks (task_id),
  tx_hash text not null check (tx_hash ~ '^[0-9a-f]{64}$'),
  lt numeric(38, 0) not null check (lt > 0),
  source_address text not null,
  amount_nano numeric(38, 0) not null check (amount_nano > 0),
  amount numeric(38, 18) not null,
  currency text not null default 'TON',
  paid_at timestamptz not null,
  created_at timestamptz not null default private.now(),
  constraint a_transaction_pays_once unique (tx_hash),
  constraint a_place_in_the_chain_pays_once unique (lt, tx_hash),
  constraint amount_is_in_base_units check (currency = 'TON' and amount_nano = amount * 1000000000)
);
comment on table public.payments is 'Credited transfers as the chain shows them, one per order and transaction; append-only, amounts in base units.';

-- Null for what may be looked at; else what is wrong with the shape.
create function private.payment_event_problem(p_payment jsonb) returns text
language sql immutable set search_path = ''
as $$
  select case
    when jsonb_typeof(p_payment) is distinct from 'object' or coalesce(p_payment ->> 'body_sha256', '') !~ '^[0-9a-f]{64}$'
      or octet_length(p_payment ->> 'body') > 65536 then 'A payment carries its body and the sha256 of it.'
    when p_payment ->> 'ignored' is not null then null
    when coalesce(p_payment ->> 'tx_hash', '') !~ '^[0-9a-f]{64}$' or coalesce(p_payment ->> 'lt', '') !~ '^[1-9][0-9]{0,37}$'
      then 'A payment names its transaction.'
    when p_payment #>> '{problem,code}' is not null then null
    when coalesce(p_payment #>> '{transfer,amount_nano}', '') !~ '^(0|[1-9][0-9]{0,28})$' or coalesce(p_payment #>> '{transfer,at}', '') !~ '^[1-9][0-9]{0,11}$'
      or coalesce(length(p_payment #>> '{transfer,source}'), 0) not between 1 and 128
      or coalesce(p_payment #>> '{transfer,comment}', 'a') !~ '^[a-z2-7]{1,26}$' then 'The transfer does not have the documented shape.'
  end
$$;

-- Why a verified transfer is not credited, or null.
create function private.transfer_problem(p_payment jsonb, p_order public.payment_orders, p_paid_at timestamptz) returns text
language sql stable set search_path = ''
as $$
  select case
    when exists (select 1 from public.payments p where p.tx_hash = p_payment ->> 'tx_hash') then 'payment_replayed'
    when p_order.order_id is null or p_order.status <> 'open' then 'unknown_order'
    when p_paid_at >= p_order.expires_at then 'order_expired'
    when (p_payment #>> '{transfer,amount_nano}')::numeric < p_order.price_nano then 'wrong_amount'
  end
$$;

create function private.refuse_payment(p_payment jsonb, p_code text, p_reason text, p_order public.payment_orders) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_hash text := p_payment ->> 'tx_hash';
  v_receipt bigint;
  v_first timestamptz;
  v_wait numeric := private.take_token('door:ton:payments', private.policy_number(6000, 'rate_limits', 'intake_per_minute'),
    private.policy_number(6000, 'rate_limits', 'intake_burst'));
  v_amount text := trim_scale((p_payment #>> '{transfer,amount_nano}')::numeric / 1000000000)::text;
begin
  if v_wait > 0 then
    return private.refuse('rate_limited', 'door:ton:payments', 'payment.accept', 'door:ton:payments', null,
      format('Wait %s seconds.', v_wait), jsonb_build_object('retry_after', v_wait));
  end if;
  insert into public.event_receipts (source, source_name, source_event_id, body_sha256, content_type, body, outcome, code, reason)
  values ('ton', 'payments', v_hash, p_payment ->> 'body_sha256', left(p_payment ->> 'content_type', 200), coalesce(p_payment ->> 'body', ''),
    'refused', p_code, left(p_reason, 500)) returning receipt_id into v_receipt;
  v_wait := null;
  if p_payment #>> '{problem,missing}' = 'true' then
    -- The chain's index may lag behind its own messages: asked again for a while, then somebody has to look.
    select min(r.received_at) into v_first from public.event_receipts r
    where r.code = 'payment_unverified' and r.source = 'ton' and r.source_event_id = v_hash;
    v_wait := case when v_first > private.now() - interval '10 minutes' then 60 end;
  end if;
  if p_code = 'unknown_order' and p_order.order_id is null then
    -- Dust with words in it comes every day: one row counts it.
    perform private.raise_alert(p_code, 'info', 'payments', v_amount || ' TON, transaction ' || v_hash, null, null);
  elsif p_code in ('unknown_order', 'order_expired', 'wrong_amount') then
    -- Money came and nothing was given: a person has to send it back or make it good.
    perform private.raise_alert(p_code, 'warning', 'order:' || p_order.order_id, v_amount || ' TON, transaction ' || v_hash,
      trim_scale(p_order.price)::text || ' TON', p_order.task_id);
    perform private.notify('reply', p_order.buyer_telegram_id, jsonb_build_object('reply', 'payment_refused', 'refused', p_code,
      'order_id', p_order.order_id));
  elsif p_code = 'payment_unverified' and v_wait is null then
    perform private.raise_alert(p_code, 'warning', 'transaction:' || v_hash, left(p_reason, 200), null, null);
  end if;
  return private.refuse(p_code, 'door:ton:payments', 'payment.accept', 'receipt:' || v_receipt, null, p_reason,
    jsonb_strip_nulls(jsonb_build_object('receipt_id', v_receipt, 'retry_after', v_wait,
      'task_id', (select p.task_id from public.payments p where p.tx_hash = v_hash))));
end
$$;

create function api.accept_payment(p_payment jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_order public.payment_orders;
  v_paid_at timestamptz;
  v_code text;
  v_task jsonb;
  v_amount numeric;
begin
  if private.payment_event_problem(p_payment) is not null then
    return private.refuse('invalid_request', 'door:ton:payments', 'payment.accept', 'event', null, private.payment_event_problem(p_payment));
  elsif p_payment ->> 'ignored' is not null then
    return private.refuse_payment(p_payment, 'invalid_event', left(p_payment ->> 'ignored', 500), null) || jsonb_build_object('outcome', 'ignored');
  elsif p_payment #>> '{problem,code}' is not null then
    return private.refuse_payment(p_payment, 'payment_unverified', p_payment #>> '{problem,reason}', null);
  end if;
  -- One look at a transaction at a time: the second copy finds what the first one wrote.
  perform pg_advisory_xact_lock(hashtextextended('ton:' || (p_payment ->> 'tx_hash'), 0));
  select o.* into v_order from public.payment_orders o where o.order_id = p_payment #>> '{transfer,comment}' for update;
  -- The chain's clock says when somebody paid; how late we heard of it is not theirs to answer for.
  v_paid_at := least(to_timestamp((p_payment #>> '{transfer,at}')::double precision), private.now());
  v_code := private.transfer_problem(p_payment, v_order, v_paid_at);
  if v_code is not null then
    return private.refuse_payment(p_payment, v_code, null, v_order);
  end if;

  v_amount := (p_payment #>> '{transfer,amount_nano}')::numeric / 1000000000;
  v_task := api.accept_event(jsonb_build_object('source', 'ton', 'source_name', 'payments', 'source_event_id', p_payment ->> 'tx_hash',
    'body_sha256', p_payment ->> 'body_sha256', 'body', coalesce(p_payment ->> 'body', ''), 'content_type', p_payment ->> 'content_type',
    'actor', v_order.account_id, 'action', 'PAYMENT',
    'goal', format('Let Telegram account %s in for %s days (%s), paid with %s TON', v_order.buyer_telegram_id, v_order.days, v_order.plan,
      trim_scale(v_amount)),
    'payload', jsonb_build_object('account_id', v_order.account_id, 'telegram_user_id', v_order.buyer_telegram_id, 'order_id', v_order.order_id,
      'plan', v_order.plan, 'days', v_order.days::text, 'price', trim_scale(v_order.price)::text, 'amount', trim_scale(v_amount)::text,
      'currency', v_order.currency, 'amount_nano', p_payment #>> '{transfer,amount_nano}', 'tx_hash', p_payment ->> 'tx_hash',
      'lt', p_payment ->> 'lt', 'paid_at', private.iso(v_paid_at))));
  if v_task ? 'refused' then
    return v_task;
  end if;
  perform private.act_as(v_order.account_id, 'payment.accept');
  insert into public.payments (order_id, task_id, tx_hash, lt, source_address, amount_nano, amount, paid_at)
  values (v_order.order_id, v_task ->> 'task_id', p_payment ->> 'tx_hash', (p_payment ->> 'lt')::numeric, p_payment #>> '{transfer,source}',
    (p_payment #>> '{transfer,amount_nano}')::numeric, v_amount, v_paid_at);
  update public.payment_orders o set status = 'paid', paid_at = v_paid_at, task_id = v_task ->> 'task_id' where o.order_id = v_order.order_id;
  perform private.notify('reply', v_order.buyer_telegram_id, jsonb_build_object('reply', 'payment_received', 'order_id', v_order.order_id,
    'plan', v_order.plan, 'amount', trim_scale(v_amount)::text, 'currency', v_order.currency), v_task ->> 'task_id');
  return jsonb_build_object('outcome', 'accepted', 'task_id', v_task ->> 'task_id', 'order_id', v_order.order_id,
    'receipt_id', v_task -> 'receipt_id', 'status', v_task ->> 'status');
end
$$;
comment on function api.accept_payment(jsonb) is
  'Credits a transfer that the door has fetched from the chain: one payment, one T3 task, once per transaction. Refuses, each with a receipt: invalid_event (nothing to credit), payment_unverified, payment_replayed, unknown_order, order_expired, wrong_amount; and without one invalid_request, rate_limited.';
revoke all on function api.accept_payment(jsonb) from public;
grant execute on function api.accept_payment(jsonb) to service_role;

select private.close_table('public.payments');
select private.allow_members('public.payments', 'owner', 'operator', 'reviewer');
select private.keep_history('public.payments');
select private.audit('public.payments', 'payment', 'payment_id');
