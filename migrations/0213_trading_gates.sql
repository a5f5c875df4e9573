-- The promise of this file: an order passes one gate, at the reservation and again at the start, with the account's row
-- locked from the look to the booking, so that two orders cannot both pass on the same room.
-- Refuses: invalid_request, incomplete_bracket, unknown_account, account_suspended, no_channel, dry_run_missing,
-- quote_stale, price_moved, position_missing, limit_exceeded.

-- Prices of one symbol stand still between a gate and its booking. The lock on the price comes before the lock on the account,
-- here and where prices are recorded.
create function private.hold_price(p_symbol text, p_writes boolean) returns void
language plpgsql set search_path = ''
as $$
begin
  if p_writes then
    perform pg_advisory_xact_lock(hashtextextended('quote:' || p_symbol, 0));
  else
    perform pg_advisory_xact_lock_shared(hashtextextended('quote:' || p_symbol, 0));
  end if;
end
$$;

create function private.order_shape_problem(p_order jsonb) returns text
language sql immutable set search_path = ''
as $$
  select case
    when jsonb_typeof(p_order) is distinct from 'object' or coalesce(p_order ->> 'account_id', '') !~ '^[a-z0-9][a-z0-9_-]{0,63}$'
      or coalesce(p_order ->> 'symbol', '') !~ '^[A-Z0-9][A-Z0-9._:-]{1,31}$' or coalesce(p_order ->> 'side', '') not in ('buy', 'sell')
      or private.positive_decimal(p_order ->> 'quantity') is null or coalesce(p_order ->> 'type', '') not in ('market', 'limit')
      or jsonb_typeof(p_order -> 'reduce_only') is distinct from 'boolean'
      or (p_order ->> 'type' = 'limit') <> (private.positive_decimal(p_order ->> 'price') is not null)
      or (p_order ->> 'type' = 'market' and p_order ->> 'price' is not null) then 'invalid_request'
    when p_order ->> 'reduce_only' = 'true' then
      case when p_order ->> 'stop_loss' is not null or p_order ->> 'take_profit' is not null then 'incomplete_bracket' end
    when not coalesce(case p_order ->> 'side'
      when 'buy' then private.positive_decimal(p_order ->> 'stop_loss') < private.positive_decimal(p_order ->> 'take_profit')
      else private.positive_decimal(p_order ->> 'stop_loss') > private.positive_decimal(p_order ->> 'take_profit') end, false) then 'incomplete_bracket'
  end
$$;
comment on function private.order_shape_problem(jsonb) is 'Null for an order with every figure, whose stop and target are both there and on their sides; a reduction has neither.';

-- What is open on the side that this order would close.
create function private.reducible(p_order jsonb) returns numeric
language sql stable set search_path = ''
as $$
  select coalesce(sum(p.open_quantity), 0) from public.positions p
  where p.account_id = p_order ->> 'account_id' and p.symbol = p_order ->> 'symbol' and p.open_quantity > 0
    and p.side = case p_order ->> 'side' when 'sell' then 'long' when 'buy' then 'short' end
$$;

-- Reductions under way have spoken for what they would close.
create function private.reduction_in_flight(p_order jsonb, p_except_task text) returns numeric
language sql stable set search_path = ''
as $$
  select coalesce(sum(private.positive_decimal(e.payload_json ->> 'quantity')), 0) from public.effects e
  where e.kind = 'trade' and e.status in ('reserved', 'sent', 'unknown') and e.payload_json ->> 'account_id' = p_order ->> 'account_id'
    and e.task_id is distinct from p_except_task and e.payload_json ->> 'reduce_only' = 'true'
    and e.payload_json ->> 'symbol' = p_order ->> 'symbol' and e.payload_json ->> 'side' = p_order ->> 'side'
$$;

create function private.is_reduction(p_task public.tasks) returns boolean
language plpgsql stable set search_path = ''
as $$
declare
  v_order jsonb := private.proposed(p_task.task_id, 'order');
begin
  return coalesce(p_task.action = 'TRADE' and v_order -> 'reduce_only' = 'true'::jsonb and private.order_shape_problem(v_order) is null
    and private.positive_decimal(v_order ->> 'quantity') <= private.reducible(v_order) - private.reduction_in_flight(v_order, p_task.task_id), false);
end
$$;
comment on function private.is_reduction(public.tasks) is 'Whether a task''s order can only make an open position smaller, now.';

-- Why an order is refused, for whoever reads the audit: the caller gets the code alone.
create function private.order_refused(p_code text, p_task_id text, p_account_id text, p_reason text, p_facts jsonb default '{}') returns text
language plpgsql set search_path = ''
as $$
begin
  insert into public.audit_logs (actor, action, object, task_id, after_json)
  values ('limits', 'order.refuse', 'account:' || coalesce(left(p_account_id, 64), 'unknown'), p_task_id,
    jsonb_strip_nulls(p_facts || jsonb_build_object('code', p_code, 'reason', p_reason)));
  return p_code;
end
$$;

create function private.price_problem(p_task public.tasks, p_order jsonb, p_quote public.quotes) returns text
language plpgsql set search_path = ''
as $$
declare
  v_account text := p_order ->> 'account_id';
  v_side text := p_order ->> 'side';
  v_touch numeric := private.touch_of(p_quote, v_side);
  v_rehearsed text := (private.dry_run_of(p_task.task_id)).content;
  v_approved numeric := private.positive_decimal(private.json_member(v_rehearsed, 'price') #>> '{}');
  v_source text := private.json_member(v_rehearsed, 'quote') ->> 'source';
  v_sources jsonb := coalesce(private.policy_value('trading', 'quote_sources'), '[]');
  v_age numeric := extract(epoch from private.now() - p_quote.observed_at);
  v_oldest numeric := private.policy_number(0, 'trading', 'max_quote_age_seconds');
  v_drift numeric := private.policy_number(0, 'trading', 'max_price_drift_pct');
  v_limit numeric := private.positive_decimal(p_order ->> 'price');
  v_facts jsonb;
begin
  if v_approved is null then
    return private.order_refused('dry_run_missing', p_task.task_id, v_account, 'The dry run names no price.');
  end if;
  if p_quote.quote_id is null or v_age > v_oldest or not v_sources ? p_quote.source or not coalesce(v_sources ? v_source, false) then
    return private.order_refused('quote_stale', p_task.task_id, v_account, case
      when p_quote.quote_id is null then 'There is no price on record.'
      when v_age > v_oldest then 'The price is older than the policy allows.'
      else 'The price, now or in the dry run, has no source that the policy names.' end,
      jsonb_build_object('source', p_quote.source, 'dry_run_source', v_source, 'observed_at', private.iso(p_quote.observed_at),
        'max_quote_age_seconds', private.decimal_text(v_oldest)));
  end if;
  v_facts := jsonb_build_object('approved', private.decimal_text(v_approved), 'now', private.decimal_text(v_touch),
    'source', p_quote.source, 'max_price_drift_pct', private.decimal_text(v_drift));
  if abs(v_touch - v_approved) * 100 > v_drift * v_approved then
    return private.order_refused('price_moved', p_task.task_id, v_account, 'The price has moved further from the approved one than the policy allows.', v_facts);
  end if;
  -- A limit is the worst price that is taken, now or not at all.
  if (v_side = 'buy' and v_touch > v_limit) or (v_side = 'sell' and v_touch < v_limit) then
    return private.order_refused('price_moved', p_task.task_id, v_account, 'The limit of the order is not reached.', v_facts);
  end if;
  if p_order ->> 'reduce_only' = 'false' and (v_touch <= least(private.positive_decimal(p_order ->> 'stop_loss'), private.positive_decimal(p_order ->> 'take_profit'))
    or v_touch >= greatest(private.positive_decimal(p_order ->> 'stop_loss'), private.positive_decimal(p_order ->> 'take_profit'))) then
    return private.order_refused('price_moved', p_task.task_id, v_account, 'The price has left the room between stop and target.', v_facts);
  end if;
  return null;
end
$$;

create function private.limit_problem(p_task public.tasks, p_account public.trading_accounts, p_order jsonb, p_touch numeric) returns text
language plpgsql set search_path = ''
as $$
declare
  v_standing private.account_standing := private.account_standing(p_account, p_task.task_id);
  v_limit record;
  v_code text;
begin
  if v_standing.equity is null or v_standing.equity_at_open is null then
    return private.order_refused('unknown_account', p_task.task_id, p_account.account_id, case
      when v_standing.equity is null then 'Its equity is not known: a symbol it holds has no price on record.'
      else 'Its equity at 00:00 UTC is not on record and cannot be worked out from what is.' end);
  end if;
  for v_limit in
    select r.* from private.limit_rows(v_standing, private.trade_limits(p_account.account_id), p_order, p_touch) r where r.exceeded
  loop
    perform private.raise_alert('limit_exceeded', 'critical', 'account:' || p_account.account_id || ':' || v_limit.name,
      private.decimal_text(v_limit.value), private.decimal_text(v_limit.threshold), p_task.task_id);
    v_code := private.order_refused('limit_exceeded', p_task.task_id, p_account.account_id, v_limit.name || ' would be exceeded.',
      jsonb_build_object('limit', v_limit.name, 'value', private.decimal_text(v_limit.value), 'threshold', private.decimal_text(v_limit.threshold)));
  end loop;
  return v_code;
end
$$;

create function private.order_problem(p_task public.tasks, p_payload jsonb, p_channel text) returns text
language plpgsql set search_path = ''
as $$
declare
  v_account public.trading_accounts;
  v_id text := p_payload ->> 'account_id';
  v_symbol text := p_payload ->> 'symbol';
  v_code text := private.order_shape_problem(p_payload);
  v_quote public.quotes;
begin
  if v_code is not null then
    return private.order_refused(v_code, p_task.task_id, v_id, case v_code
      when 'incomplete_bracket' then 'Entry, stop and target are one order or none; a reduction has neither stop nor target.'
      else 'The order does not have the documented shape.' end);
  end if;
  perform private.hold_price(v_symbol, false);
  select a.* into v_account from public.trading_accounts a where a.account_id = v_id for update;
  if v_account.account_id is null then
    return private.order_refused('unknown_account', p_task.task_id, v_id, 'There is no such account.');
  elsif v_account.status <> 'active' then
    return private.order_refused('account_suspended', p_task.task_id, v_id, v_account.reason);
  elsif v_account.channel is distinct from p_channel then
    return private.order_refused('no_channel', p_task.task_id, v_id, 'The account trades on another channel.', jsonb_build_object('channel', v_account.channel));
  elsif right(v_symbol, length(v_account.currency)) <> v_account.currency then
    return private.order_refused('invalid_request', p_task.task_id, v_id, 'The symbol is not priced in the account''s currency.',
      jsonb_build_object('symbol', v_symbol, 'currency', v_account.currency));
  end if;
  -- Read after the locks: whatever another order took is seen.
  v_quote := private.latest_quote(v_symbol);
  v_code := private.price_problem(p_task, p_payload, v_quote);
  if v_code is not null then
    return v_code;
  end if;
  if p_payload ->> 'reduce_only' = 'true' then
    -- Getting smaller needs no room. It needs something to get smaller.
    return case when private.positive_decimal(p_payload ->> 'quantity') > private.reducible(p_payload) - private.reduction_in_flight(p_payload, p_task.task_id)
      then private.order_refused('position_missing', p_task.task_id, v_id, 'No open position is as large as what would be closed.',
        jsonb_build_object('symbol', v_symbol, 'open', private.decimal_text(private.reducible(p_payload)))) end;
  end if;
  return private.limit_problem(p_task, v_account, p_payload, private.touch_of(v_quote, p_payload ->> 'side'));
end
$$;
comment on function private.order_problem(public.tasks, jsonb, text) is
  'Every gate of a trade, at its reservation and at its start; null when all hold. Locks the account''s row and the symbol''s price until the transaction ends.';
