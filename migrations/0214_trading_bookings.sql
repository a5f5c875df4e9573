-- The promise of this file: what was filled is booked once, by the paper channel in the transaction of its reservation, by a
-- broker's report under its effect's key, and a stop or target that a price reaches closes its position.
-- Refuses: invalid_request, quote_stale, not_found, illegal_transition.

create function private.settle_position(p_position_id uuid) returns void
language plpgsql set search_path = ''
as $$
declare
  v_position public.positions;
  v_long boolean;
  v_slack numeric;
begin
  select p.* into v_position from public.positions p where p.position_id = p_position_id;
  if v_position.open_quantity > 0 or exists (select 1 from public.trade_results r where r.position_id = p_position_id) then
    return;
  end if;
  v_long := v_position.side = 'long';
  v_slack := private.percent_of(v_position.stop_loss, private.policy_number(0, 'trading', 'slippage_pct'));
  insert into public.trade_results (task_id, account_id, position_id, currency, pnl, r_multiple, slippage, sl_ok, tp_ok, drawdown_pct)
  select v_position.task_id, v_position.account_id, p_position_id, a.currency, v_position.cash,
    round(v_position.cash / nullif(abs(v_position.entry_price - v_position.stop_loss) * v_position.quantity, 0), 4), v_position.slippage,
    -- The stop was kept where nothing was sold worse than it, but for the slippage that the policy reckons with.
    not exists (select 1 from public.fills f where f.position_id = p_position_id and f.kind <> 'entry'
      and case when v_long then f.price < v_position.stop_loss - v_slack else f.price > v_position.stop_loss + v_slack end),
    (select bool_and(case when v_long then f.price >= v_position.take_profit else f.price <= v_position.take_profit end)
      from public.fills f where f.position_id = p_position_id and f.kind = 'take_profit'),
    private.drawdown_pct(v_position.account_id)
  from public.trading_accounts a where a.account_id = v_position.account_id;
end
$$;

create function private.book_fill(p_order public.orders, p_position_id uuid, p_kind text, p_side text, p_quantity numeric, p_price numeric,
  p_reference numeric, p_fee numeric, p_origin text, p_quote_id bigint, p_external_id text, p_executed_at timestamptz) returns void
language plpgsql set search_path = ''
as $$
begin
  insert into public.fills (account_id, order_id, position_id, kind, symbol, side, quantity, price, reference_price, fee, slippage, origin, quote_id,
    external_id, executed_at)
  values (p_order.account_id, p_order.order_id, p_position_id, p_kind, p_order.symbol, p_side, p_quantity, p_price, p_reference, p_fee,
    round(p_quantity * case p_side when 'buy' then p_price - p_reference else p_reference - p_price end, 18), p_origin, p_quote_id,
    p_external_id, least(coalesce(p_executed_at, private.now()), private.now()));
  if p_kind <> 'entry' then
    perform private.settle_position(p_position_id);
  end if;
end
$$;

create function private.insert_order(p_effect public.effects, p_external_id text) returns public.orders
language plpgsql set search_path = ''
as $$
declare
  v_order jsonb := p_effect.payload_json;
  v_row public.orders;
begin
  insert into public.orders (account_id, task_id, effect_id, channel, symbol, side, quantity, type, price, stop_loss, take_profit, reduce_only, external_id)
  values (v_order ->> 'account_id', p_effect.task_id, p_effect.effect_id, p_effect.channel, v_order ->> 'symbol', v_order ->> 'side',
    private.positive_decimal(v_order ->> 'quantity'), v_order ->> 'type', private.positive_decimal(v_order ->> 'price'),
    private.positive_decimal(v_order ->> 'stop_loss'), private.positive_decimal(v_order ->> 'take_profit'), (v_order ->> 'reduce_only')::boolean, p_external_id)
  returning * into v_row;
  return v_row;
end
$$;

-- An execution of an order: the entry of its position, or the oldest open positions made smaller. The fee is shared out by
-- quantity; the last part takes what rounding leaves. Returns what no position was left for.
create function private.book_execution(p_order public.orders, p_quantity numeric, p_price numeric, p_reference numeric, p_fee numeric,
  p_origin text, p_quote_id bigint, p_external_id text, p_executed_at timestamptz) returns numeric
language plpgsql set search_path = ''
as $$
declare
  v_position record;
  v_left numeric := p_quantity;
  v_fee_left numeric := p_fee;
  v_part numeric;
  v_fee numeric;
begin
  if not p_order.reduce_only then
    perform private.book_fill(p_order, p_order.order_id, 'entry', p_order.side, p_quantity, p_price, p_reference, p_fee, p_origin, p_quote_id, p_external_id, p_executed_at);
    return 0;
  end if;
  for v_position in
    select p.position_id, p.open_quantity from public.positions p where p.account_id = p_order.account_id and p.symbol = p_order.symbol
      and p.open_quantity > 0 and p.side = case p_order.side when 'sell' then 'long' else 'short' end order by p.opened_at, p.position_id
  loop
    exit when v_left = 0;
    v_part := least(v_left, v_position.open_quantity);
    v_fee := case when v_part = v_left then v_fee_left else round(p_fee * v_part / p_quantity, 18) end;
    perform private.book_fill(p_order, v_position.position_id, 'reduction', p_order.side, v_part, p_price, p_reference, v_fee, p_origin,
      p_quote_id, p_external_id, p_executed_at);
    v_left := v_left - v_part;
    v_fee_left := v_fee_left - v_fee;
  end loop;
  return v_left;
end
$$;

-- The paper channel: an order and its fill at the price that the gate has just looked at.
create function private.fill_order(p_effect public.effects) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_order public.orders := private.insert_order(p_effect, null);
  v_quote public.quotes := private.latest_quote(v_order.symbol);
  v_touch numeric := private.touch_of(v_quote, v_order.side);
  v_price numeric := private.fill_price(v_order.side, v_touch, v_order.price, private.policy_number(0, 'trading', 'slippage_pct'));
  v_fee numeric := private.fill_fee(v_order.quantity, v_price, private.policy_number(0, 'trading', 'fee_pct'));
begin
  perform private.book_execution(v_order, v_order.quantity, v_price, v_touch, v_fee, 'paper', v_quote.quote_id, null, null);
  perform private.mark_account(v_order.account_id);
  return jsonb_build_object('status', 'filled', 'order_id', v_order.order_id, 'account_id', v_order.account_id, 'symbol', v_order.symbol,
    'side', v_order.side, 'quantity', private.decimal_text(v_order.quantity), 'price', private.decimal_text(v_price), 'fee', private.decimal_text(v_fee),
    'quote', jsonb_build_object('source', v_quote.source, 'price', private.decimal_text(v_quote.price), 'observed_at', private.iso(v_quote.observed_at)));
end
$$;
comment on function private.fill_order(public.effects) is 'Books a paper order and its fill in the transaction that reserved it; returns the receipt.';

-- A stop is sold at the price that reached it or worse; a target is a resting order and gets its own price.
create function private.close_by_price(p_position public.positions, p_quote public.quotes) returns boolean
language plpgsql set search_path = ''
as $$
declare
  v_side text := case p_position.side when 'long' then 'sell' else 'buy' end;
  v_touch numeric := private.touch_of(p_quote, v_side);
  v_stopped boolean := case p_position.side when 'long' then v_touch <= p_position.stop_loss else v_touch >= p_position.stop_loss end;
  v_reached boolean := case p_position.side when 'long' then v_touch >= p_position.take_profit else v_touch <= p_position.take_profit end;
  v_order public.orders;
  v_price numeric;
begin
  if not (v_stopped or v_reached) then
    return false;
  end if;
  select o.* into v_order from public.orders o where o.order_id = p_position.position_id;
  v_price := case when v_stopped then private.fill_price(v_side, v_touch, null, private.policy_number(0, 'trading', 'slippage_pct')) else p_position.take_profit end;
  perform private.act_as('market', case when v_stopped then 'position.stop_loss' else 'position.take_profit' end);
  perform private.book_fill(v_order, p_position.position_id, case when v_stopped then 'stop_loss' else 'take_profit' end, v_side, p_position.open_quantity,
    v_price, case when v_stopped then p_position.stop_loss else p_position.take_profit end,
    private.fill_fee(p_position.open_quantity, v_price, private.policy_number(0, 'trading', 'fee_pct')), 'paper', p_quote.quote_id, null, null);
  return true;
end
$$;

create function private.quote_shape_problem(p_quote jsonb) returns text
language plpgsql stable set search_path = ''
as $$
begin
  return case
    when coalesce(p_quote ->> 'symbol', '') !~ '^[A-Z0-9][A-Z0-9._:-]{1,31}$' then 'A price is of a symbol.'
    when not coalesce(private.policy_value('trading', 'quote_sources') ? (p_quote ->> 'source'), false) then 'The policy names no such source of prices.'
    when private.positive_decimal(p_quote ->> 'price') is null then 'A price is a decimal above zero.'
    when (p_quote ->> 'bid' is not null and private.positive_decimal(p_quote ->> 'bid') is null)
      or (p_quote ->> 'ask' is not null and private.positive_decimal(p_quote ->> 'ask') is null)
      or private.positive_decimal(p_quote ->> 'bid') > private.positive_decimal(p_quote ->> 'ask') then 'Bid and ask are decimals, the bid not above the ask.'
    when coalesce(p_quote ->> 'observed_at', '') !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$' then 'A price has a moment in UTC.'
    when (p_quote ->> 'observed_at')::timestamptz > private.now() + interval '5 seconds' then 'The moment of the price is still to come.'
  end;
exception when datetime_field_overflow then
  return 'A price has a moment in UTC.';
end
$$;

create function api.record_quote(p_quote jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_problem text := private.quote_shape_problem(p_quote);
  v_symbol text := p_quote ->> 'symbol';
  v_quote public.quotes;
  v_account text;
  v_position public.positions;
  v_closed integer := 0;
begin
  if v_problem is not null then
    return private.refuse('invalid_request', 'quotes:' || left(p_quote ->> 'source', 32), 'quote.record', 'quote:' || left(v_symbol, 32), null, v_problem);
  end if;
  if (p_quote ->> 'observed_at')::timestamptz < private.now() - make_interval(secs => private.policy_number(0, 'trading', 'max_quote_age_seconds')::double precision) then
    return private.refuse('quote_stale', 'quotes:' || (p_quote ->> 'source'), 'quote.record', 'quote:' || v_symbol, null,
      'The source''s last price is older than the policy allows.', jsonb_build_object('observed_at', p_quote ->> 'observed_at'));
  end if;
  perform private.hold_price(v_symbol, true);
  perform private.act_as('quotes:' || (p_quote ->> 'source'), 'quote.record');
  insert into public.quotes (symbol, source, price, bid, ask, observed_at)
  values (v_symbol, p_quote ->> 'source', private.positive_decimal(p_quote ->> 'price'), private.positive_decimal(p_quote ->> 'bid'),
    private.positive_decimal(p_quote ->> 'ask'), (p_quote ->> 'observed_at')::timestamptz)
  on conflict (symbol, source, observed_at) do nothing;
  v_quote := private.latest_quote(v_symbol);
  for v_account in
    select a.account_id from public.trading_accounts a where exists (select 1 from public.positions p
      where p.account_id = a.account_id and p.symbol = v_symbol and p.open_quantity > 0) order by a.account_id for update
  loop
    for v_position in
      select p.* from public.positions p join public.trading_accounts a using (account_id)
      where p.account_id = v_account and a.channel = 'paper' and p.symbol = v_symbol and p.open_quantity > 0
      order by p.opened_at, p.position_id
    loop
      v_closed := v_closed + private.close_by_price(v_position, v_quote)::integer;
    end loop;
    perform private.mark_account(v_account);
  end loop;
  return jsonb_build_object('quote_id', v_quote.quote_id, 'symbol', v_symbol, 'source', v_quote.source, 'price', private.decimal_text(v_quote.price),
    'bid', private.decimal_text(v_quote.bid), 'ask', private.decimal_text(v_quote.ask), 'observed_at', private.iso(v_quote.observed_at), 'closed', v_closed);
end
$$;
comment on function api.record_quote(jsonb) is
  'Stores a price of a source that the policy names, answers the newest one of the symbol, and closes paper positions whose stop or target it has reached. Refuses invalid_request, quote_stale.';
revoke all on function api.record_quote(jsonb) from public;
grant execute on function api.record_quote(jsonb) to service_role;

-- When somebody was last sent to look for a price, whether one was found or not.
create table private.price_looks (
  symbol text primary key,
  looked_at timestamptz not null
);
comment on table private.price_looks is 'The turns of watched_symbols: a symbol whose price cannot be had goes to the end of the line like any other.';

create function api.watched_symbols(p_older_than_seconds numeric) returns jsonb
language sql volatile security definer set search_path = ''
as $$
  with held as (
    select distinct p.symbol from public.positions p where p.open_quantity > 0
  ), line as (
    select h.symbol, greatest(q.recorded_at, l.looked_at) as seen_at
    from held h cross join lateral (select (private.latest_quote(h.symbol)).recorded_at) q left join private.price_looks l using (symbol)
    where coalesce(q.recorded_at < private.now() - make_interval(secs => p_older_than_seconds::double precision), true)
    order by seen_at nulls first, h.symbol limit 8
  ), looked as (
    insert into private.price_looks as l (symbol, looked_at) select n.symbol, private.now() from line n order by n.symbol
    on conflict (symbol) do update set looked_at = excluded.looked_at
  )
  select coalesce(jsonb_agg(n.symbol order by n.seen_at nulls first, n.symbol), '[]') from line n
$$;
comment on function api.watched_symbols(numeric) is
  'At most eight symbols with an open position whose newest price was recorded longer ago than this, those first that nobody looked at longest: somebody has to look.';
revoke all on function api.watched_symbols(numeric) from public;
grant execute on function api.watched_symbols(numeric) to service_role;
