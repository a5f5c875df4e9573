-- The promise of this file: what an account holds and what it is worth follow from its fills, which are only ever added.
-- A position is the bracketed order that opened it: entry, stop and target are one row or none.
-- Refuses: nothing by itself; rows that break its constraints or change history are raised on.

create table public.orders (
  order_id uuid primary key default gen_random_uuid(),
  tenant_id text not null default 'main',
  account_id text not null references public.trading_accounts (account_id),
  task_id text not null references public.tasks (task_id),
  effect_id uuid not null references public.effects (effect_id),
  channel text not null,
  symbol text not null,
  side text not null,
  quantity numeric(38, 18) not null check (quantity > 0),
  type text not null,
  price numeric(38, 18) check (price > 0),
  stop_loss numeric(38, 18) check (stop_loss > 0),
  take_profit numeric(38, 18) check (take_profit > 0),
  reduce_only boolean not null,
  external_id text,
  created_at timestamptz not null default private.now(),
  constraint one_order_per_effect unique (effect_id),
  constraint order_side_is_known check (side in ('buy', 'sell')),
  constraint order_type_is_known check (type in ('market', 'limit')),
  constraint a_limit_order_names_its_price check ((type = 'limit') = (price is not null)),
  constraint entry_stop_and_target_are_one check (reduce_only = (stop_loss is null) and reduce_only = (take_profit is null)),
  constraint stop_and_target_lie_on_their_sides
    check (case side when 'buy' then stop_loss < take_profit else stop_loss > take_profit end)
);
comment on table public.orders is 'Orders that were filled, with the bracket they were approved with; append-only. The outbox has those that were not.';
create index orders_by_account on public.orders (account_id, created_at);
create index orders_by_task on public.orders (task_id);

create table public.fills (
  fill_id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  tenant_id text not null default 'main',
  account_id text not null references public.trading_accounts (account_id),
  order_id uuid not null references public.orders (order_id),
  position_id uuid not null references public.orders (order_id),
  kind text not null,
  symbol text not null,
  side text not null,
  quantity numeric(38, 18) not null check (quantity > 0),
  price numeric(38, 18) not null check (price > 0),
  reference_price numeric(38, 18) not null check (reference_price > 0),
  fee numeric(38, 18) not null check (fee >= 0),
  slippage numeric(38, 18) not null,
  signed_quantity numeric(38, 18) not null generated always as (case side when 'buy' then quantity else -quantity end) stored,
  cash numeric(38, 18) not null generated always as (case side when 'buy' then -round(quantity * price, 18) else round(quantity * price, 18) end - fee) stored,
  origin text not null,
  quote_id bigint references public.quotes (quote_id),
  external_id text,
  executed_at timestamptz not null default private.now(),
  constraint fill_kind_is_known check (kind in ('entry', 'stop_loss', 'take_profit', 'reduction')),
  constraint fill_side_is_known check (side in ('buy', 'sell')),
  constraint fill_origin_is_known check (origin in ('paper', 'reported', 'assumed')),
  constraint one_fill_per_external_id unique (account_id, external_id, position_id)
);
comment on table public.fills is 'What was bought and sold, at which price, fee and slippage; append-only. Cash and holdings are sums over it.';
create index fills_by_account on public.fills (account_id, symbol, executed_at);
create index fills_by_order on public.fills (order_id);
create index fills_by_position on public.fills (position_id);
create index fills_by_quote on public.fills (quote_id) where quote_id is not null;

create view public.positions with (security_invoker = true) as
  select o.order_id as position_id, o.tenant_id, o.account_id, o.task_id, o.symbol, case o.side when 'buy' then 'long' else 'short' end as side,
    sum(f.quantity) filter (where f.kind = 'entry') as quantity,
    sum(case f.kind when 'entry' then f.quantity else -f.quantity end) as open_quantity,
    round(sum(f.quantity * f.price) filter (where f.kind = 'entry') / sum(f.quantity) filter (where f.kind = 'entry'), 18) as entry_price,
    o.stop_loss, o.take_profit, sum(f.fee) as fees, sum(f.slippage) as slippage, sum(f.cash) as cash,
    min(f.executed_at) as opened_at,
    case when sum(case f.kind when 'entry' then f.quantity else -f.quantity end) = 0 then max(f.executed_at) end as closed_at
  from public.orders o join public.fills f on f.position_id = o.order_id
  where not o.reduce_only
  group by o.order_id;
comment on view public.positions is 'Every bracketed order with what is still open of it; closed ones have closed_at.';
revoke all on public.positions from public, anon, authenticated, service_role;
grant select on public.positions to auditor, authenticated;

create table public.trade_results (
  result_id uuid primary key default gen_random_uuid(),
  tenant_id text not null default 'main',
  task_id text not null references public.tasks (task_id),
  account_id text not null references public.trading_accounts (account_id),
  position_id uuid not null references public.orders (order_id),
  currency text not null,
  pnl numeric(38, 18) not null,
  r_multiple numeric(38, 18),
  slippage numeric(38, 18) not null,
  sl_ok boolean not null,
  tp_ok boolean,
  drawdown_pct numeric(38, 18),
  ts timestamptz not null default private.now(),
  constraint one_result_per_position unique (position_id)
);
comment on table public.trade_results is 'One row per closed position: profit after fees, in multiples of the risk, slippage, whether stop and target were kept, and the account''s drawdown then.';
create index trade_results_by_task on public.trade_results (task_id);
create index trade_results_by_account on public.trade_results (account_id, ts);

-- The fill model, the same as in _domain/order.ts and rounded at the same places: the price is the touch made worse by
-- the slippage, a limit order never pays more than its limit.
create function private.percent_of(p_value numeric, p_percent numeric) returns numeric
language sql immutable strict parallel safe set search_path = ''
as $$ select round(round(p_value * p_percent, 18) * 0.01, 18) $$;

create function private.fill_price(p_side text, p_touch numeric, p_limit numeric, p_slippage_pct numeric) returns numeric
language sql immutable parallel safe set search_path = ''
as $$
  select case p_side when 'buy' then least(p_touch + private.percent_of(p_touch, p_slippage_pct), p_limit)
    else greatest(p_touch - private.percent_of(p_touch, p_slippage_pct), p_limit) end
$$;

create function private.fill_fee(p_quantity numeric, p_price numeric, p_fee_pct numeric) returns numeric
language sql immutable strict parallel safe set search_path = ''
as $$ select private.percent_of(round(p_quantity * p_price, 18), p_fee_pct) $$;

create function private.other_side(p_side text) returns text
language sql immutable strict parallel safe set search_path = ''
as $$ select case p_side when 'buy' then 'sell' else 'buy' end $$;

-- What an order costs if its stop is hit: the way there, slippage at both ends and both fees. Never less than nothing.
create function private.worst_case(p_order jsonb, p_touch numeric) returns numeric
language plpgsql stable set search_path = ''
as $$
declare
  v_side text := p_order ->> 'side';
  v_quantity numeric := private.positive_decimal(p_order ->> 'quantity');
  v_stop numeric := private.positive_decimal(p_order ->> 'stop_loss');
  v_fee numeric := private.policy_number(0, 'trading', 'fee_pct');
  v_slippage numeric := private.policy_number(0, 'trading', 'slippage_pct');
  v_in numeric := private.fill_price(v_side, p_touch, private.positive_decimal(p_order ->> 'price'), v_slippage);
  v_out numeric := private.fill_price(private.other_side(v_side), v_stop, null, v_slippage);
begin
  if p_order ->> 'reduce_only' = 'true' then
    return 0;
  end if;
  return greatest(0, round(v_quantity * case v_side when 'buy' then v_in - v_out else v_out - v_in end, 18)
    + private.fill_fee(v_quantity, v_in, v_fee) + private.fill_fee(v_quantity, v_out, v_fee));
end
$$;
comment on function private.worst_case(jsonb, numeric) is 'The loss of an order at its stop, entered at this touch, fees and slippage included.';

-- Opening balance, all cash since, and what is held at the last price before that moment. Null where a price is missing:
-- a guess would be a figure that nobody observed.
create function private.equity_at(p_account_id text, p_at timestamptz) returns numeric
language sql stable set search_path = ''
as $$
  select case when coalesce(bool_and(h.held = 0 or h.price is not null), true)
    then a.opening_balance + coalesce(sum(h.cash + round(h.held * coalesce(h.price, 0), 18)), 0) end
  from public.trading_accounts a
  left join lateral (
    select s.cash, s.held, (select q.price from public.quotes q where q.symbol = s.symbol and q.observed_at <= p_at
      order by q.observed_at desc, q.quote_id desc limit 1) as price
    from (select f.symbol, sum(f.cash) as cash, sum(f.signed_quantity) as held from public.fills f
      where f.account_id = a.account_id and f.executed_at <= p_at group by f.symbol) s
  ) h on true
  where a.account_id = p_account_id
  group by a.account_id
$$;
comment on function private.equity_at(text, timestamptz) is 'What an account was worth at a moment, from fills and quotes; null where a held symbol has no price.';

-- The equity at 00:00 UTC, worked out from what was stored before it, whenever the day is first used.
create function private.account_day(p_account public.trading_accounts) returns public.account_days
language plpgsql set search_path = ''
as $$
declare
  v_day date := private.utc_day(private.now());
  v_row public.account_days;
  v_equity numeric;
begin
  select d.* into v_row from public.account_days d where d.account_id = p_account.account_id and d.day = v_day;
  if v_row.account_id is null and p_account.opened_at < v_day::timestamp at time zone 'UTC' then
    v_equity := private.equity_at(p_account.account_id, v_day::timestamp at time zone 'UTC');
    if v_equity is not null then
      insert into public.account_days (account_id, day, equity_at_open) values (p_account.account_id, v_day, v_equity)
      on conflict (account_id, day) do nothing;
      select d.* into v_row from public.account_days d where d.account_id = p_account.account_id and d.day = v_day;
    end if;
  end if;
  return v_row;
end
$$;

create function private.open_account_days() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_account public.trading_accounts;
  v_count integer := 0;
begin
  perform private.act_as('clock', 'account.open_day');
  for v_account in
    select a.* from public.trading_accounts a where not exists (select 1 from public.account_days d
      where d.account_id = a.account_id and d.day = private.utc_day(private.now())) order by a.account_id
  loop
    if (private.account_day(v_account)).account_id is null then
      perform private.raise_alert('equity_unknown', 'warning', 'account:' || v_account.account_id, null, null, null);
    else
      v_count := v_count + 1;
    end if;
  end loop;
  return v_count;
end
$$;
comment on function private.open_account_days() is 'The job that stores every account''s equity at 00:00 UTC; one that cannot be known raises an alert, and no order starts on it.';
insert into public.jobs (job_name, every_seconds) values ('open_account_days', 60);

select private.close_table(t) from unnest(array['public.orders', 'public.fills', 'public.trade_results']::regclass[]) t;
select private.allow_members(t, 'owner', 'operator', 'reviewer')
  from unnest(array['public.orders', 'public.fills', 'public.trade_results']::regclass[]) t;
select private.keep_history(t) from unnest(array['public.orders', 'public.fills', 'public.trade_results']::regclass[]) t;
select private.audit('public.orders', 'trade_order', 'order_id');
select private.audit('public.fills', 'fill', 'fill_id');
select private.audit('public.trade_results', 'trade_result', 'result_id');
