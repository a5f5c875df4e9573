-- The promise of this file: a transaction counts once, for one open order of one person whose checks are complete, at the
-- policy's price. Whatever else arrives is on record and creates nothing.
-- Refuses: invalid_request, policy_invalid, kyc_incomplete, rate_limited, invalid_event, payment_unverified,
-- payment_replayed, unknown_order, order_expired, wrong_amount.

create table public.kyc_checks (
  check_id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  account_id text not null check (account_id ~ '^telegram:[1-9][0-9]{0,19}$'),
  item text not null,
  outcome text not null,
  note text check (length(note) <= 500),
  checked_by text not null,
  checked_at timestamptz not null default private.now(),
  constraint kyc_item_is_known check (item in ('identity', 'sanctions', 'source_of_funds')),
  constraint kyc_outcome_is_known check (outcome in ('passed', 'failed'))
);
comment on table public.kyc_checks is 'The KYC and AML checklist: who checked which item of whom, when, and how it ended. No documents are kept here.';
create index kyc_checks_by_account on public.kyc_checks (account_id, item, seq desc);

-- The newest word on each item counts.
create function private.kyc_status_of(p_account_id text) returns text
language sql stable set search_path = ''
as $$
  select case when bool_or(n.outcome = 'failed') then 'failed' when count(*) = 3 then 'passed' else 'pending' end
  from (select distinct on (c.item) c.item, c.outcome from public.kyc_checks c where c.account_id = p_account_id order by c.item, c.seq desc) n
$$;

-- The status alone is not enough: behind it must stand the checks that made it.
create function private.kyc_complete(p_account_id text) returns boolean
language sql stable set search_path = ''
as $$
  select exists (select 1 from public.limits l where l.account_id = p_account_id and l.kyc_status = 'passed')
    and private.kyc_status_of(p_account_id) = 'passed'
$$;
comment on function private.kyc_complete(text) is 'Whether every item of the KYC and AML checklist was last found good.';

create function api.record_kyc_check(p_check jsonb, p_actor text default 'administrator') returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_account text := 'telegram:' || (p_check ->> 'telegram_user_id');
  v_status text;
begin
  if coalesce(v_account, '') !~ '^telegram:[1-9][0-9]{0,19}$' or coalesce(p_actor, '') = ''
    or coalesce(p_check ->> 'item', '') not in ('identity', 'sanctions', 'source_of_funds')
    or coalesce(p_check ->> 'outcome', '') not in ('passed', 'failed') or length(p_check ->> 'note') > 500 then
    return private.refuse('invalid_request', p_actor, 'kyc.check', 'account:' || coalesce(left(v_account, 64), '?'), null,
      'A check names a numeric Telegram id, an item (identity, sanctions, source_of_funds) and passed or failed.');
  end if;
  -- Two checks of one account at once must not each miss the other's item.
  perform pg_advisory_xact_lock(hashtextextended('kyc:' || v_account, 0));
  perform private.act_as(p_actor, 'kyc.check');
  insert into public.kyc_checks (account_id, item, outcome, note, checked_by)
  values (v_account, p_check ->> 'item', p_check ->> 'outcome', p_check ->> 'note', left(p_actor, 200));
  v_status := private.kyc_status_of(v_account);
  insert into public.limits as l (account_id, kyc_status, updated_by) values (v_account, v_status, left(p_actor, 200))
  on conflict (account_id) do update set kyc_status = excluded.kyc_status, updated_by = excluded.updated_by, updated_at = private.now();
  return jsonb_build_object('account_id', v_account, 'kyc_status', v_status);
end
$$;
comment on function api.record_kyc_check(jsonb, text) is
  'Records one item of the KYC and AML checklist of a Telegram account, and what the list amounts to now. Refuses invalid_request. Administrator only.';
revoke all on function api.record_kyc_check(jsonb, text) from public;
grant execute on function api.record_kyc_check(jsonb, text) to administrator;

-- 130 random bits as 26 letters: nobody meets an order by guessing, and it fits into a transfer's comment.
create function private.order_code() returns text
language sql volatile set search_path = ''
as $$
  select string_agg(substr('abcdefghijklmnopqrstuvwxyz234567', (get_byte(r.bytes, i) & 31) + 1, 1), '' order by i)
  from (select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) as bytes) r, generate_series(0, 25) i
$$;

create table public.payment_orders (
  order_id text primary key default private.order_code() check (order_id ~ '^[a-z2-7]{26}$'),
  status text not null default 'open',
  buyer_telegram_id text not null check (buyer_telegram_id ~ '^[1-9][0-9]{0,19}$'),
  account_id text not null generated always as ('telegram:' || buyer_telegram_id) stored,
  plan text not null check (plan ~ '^[a-z][a-z0-9-]{0,31}$'),
  days integer not null check (days between 1 and 3660),
  price numeric(38, 18) not null check (price > 0),
  currency text not null,
  price_nano numeric(38, 0) not null check (price_nano > 0),
  created_at timestamptz not null default private.now(),
  created_by text not null,
  expires_at timestamptz not null,
  policy_sha256 text not null,
  paid_at timestamptz,
  task_id text references public.tasks (task_id),
  granted_at timestamptz,
  constraint order_status_is_known check (status in ('open', 'paid', 'granted')),
  constraint order_is_paid_in_ton check (currency = 'TON' and price_nano = price * 1000000000),
  constraint paid_exactly_when_stamped check ((status = 'open') = (paid_at is null) and (paid_at is null) = (task_id is null)),
  constraint granted_exactly_when_stamped check ((status = 'granted') = (granted_at is not null))
);
comment on table public.payment_orders is 'What somebody may pay for: the id is the comment of the transfer; one order, one payment, one task.';
create unique index payment_orders_by_task on public.payment_orders (task_id) where task_id is not null;
create index payment_orders_by_account on public.payment_orders (account_id, created_at desc);

create function private.order_json(p_order public.payment_orders) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('order_id', p_order.order_id, 'status', p_order.status, 'buyer_telegram_id', p_order.buyer_telegram_id,
    'plan', p_order.plan, 'days', p_order.days, 'price', trim_scale(p_order.price)::text, 'currency', p_order.currency,
    'price_nano', p_order.price_nano::text, 'created_at', private.iso(p_order.created_at), 'expires_at', private.iso(p_order.expires_at),
    'task_id', p_order.task_id, 'paid_at', private.iso(p_order.paid_at), 'granted_at', private.iso(p_order.granted_at))
$$;

create function api.create_order(p_order jsonb, p_actor text default 'administrator') returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_buyer text := p_order ->> 'buyer_telegram_id';
  v_plan text := p_order ->> 'plan';
  v_terms jsonb := private.policy_value('payments', 'plans', v_plan);
  v_minutes numeric := private.policy_number(0, 'payments', 'order_minutes');
  v_row public.payment_orders;
begin
  if coalesce(v_buyer, '') !~ '^[1-9][0-9]{0,19}$' or v_terms is null or coalesce(p_actor, '') = '' then
    return private.refuse('invalid_request', p_actor, 'order.create', 'account:' || coalesce('telegram:' || left(v_buyer, 32), '?'), null,
      'An order has a numeric Telegram id and a plan of the policy.');
  end if;
  if v_minutes < 1 or coalesce(v_terms ->> 'currency', '') <> 'TON' or coalesce(v_terms ->> 'price', '') !~ '^[0-9]{1,9}(\.[0-9]{1,9})?$'
    or (v_terms ->> 'price')::numeric <= 0 or coalesce(v_terms ->> 'days', '') !~ '^[1-9][0-9]{0,3}$' then
    return private.refuse('policy_invalid', p_actor, 'order.create', 'plan:' || left(v_plan, 32), null,
      'The plan has no price in TON of at most nine decimals, no days, or orders have no time.');
  end if;
  -- Nobody is asked for money who could not be let in afterwards.
  if not private.kyc_complete('telegram:' || v_buyer) then
    return private.refuse('kyc_incomplete', p_actor, 'order.create', 'account:telegram:' || v_buyer);
  end if;
  perform private.act_as(p_actor, 'order.create');
  insert into public.payment_orders (buyer_telegram_id, plan, days, price, currency, price_nano, created_by, expires_at, policy_sha256)
  values (v_buyer, v_plan, (v_terms ->> 'days')::integer, (v_terms ->> 'price')::numeric, 'TON', (v_terms ->> 'price')::numeric * 1000000000,
    left(p_actor, 200), private.now() + make_interval(mins => v_minutes::integer), private.active_policy_sha256())
  returning * into v_row;
  return private.order_json(v_row);
end
$$;
comment on function api.create_order(jsonb, text) is
  'A payment order at the policy''s price: buyer_telegram_id and plan. Refuses invalid_request, policy_invalid, kyc_incomplete. Administrator only.';
revoke all on function api.create_order(jsonb, text) from public;
grant execute on function api.create_order(jsonb, text) to administrator;

create function api.list_orders(p_limit integer default 50) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(private.order_json(o) order by o.created_at desc), '[]')
  from (select * from public.payment_orders p order by p.created_at desc limit least(greatest(p_limit, 1), 500)) o
$$;
comment on function api.list_orders(integer) is 'The newest payment orders. Administrator only.';
revoke all on function api.list_orders(integer) from public;
grant execute on function api.list_orders(integer) to administrator;

select private.close_table(t) from unnest(array['public.kyc_checks', 'public.payment_orders']::regclass[]) t;
select private.allow_members(t, 'owner', 'operator', 'reviewer') from unnest(array['public.kyc_checks', 'public.payment_orders']::regclass[]) t;
select private.keep_history('public.kyc_checks');
select private.audit('public.kyc_checks', 'kyc_check', 'check_id');
select private.audit('public.payment_orders', 'order', 'order_id');
