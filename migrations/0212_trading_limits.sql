-- The promise of this file: a limit holds against everything that may still happen, what is in flight included; equality
-- passes, exceedance is refused and rings. Refuses: unknown_account.

-- Policy and the account's own row, the lesser of both, as text: what a digest binds. A cap in another currency than the
-- account's cannot be held against anything, so nothing is within it.
create function private.trade_limits(p_account_id text) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object('account_id', a.account_id, 'channel', a.channel, 'currency', a.currency,
    'max_daily_loss_pct', private.decimal_text(private.policy_number(0, 'limits', 'trading', 'max_daily_loss_pct')),
    'max_drawdown_pct', private.decimal_text(least(private.policy_number(0, 'limits', 'trading', 'max_drawdown_pct'), l.max_drawdown_pct)),
    'max_positions', private.decimal_text(least(private.policy_number(0, 'limits', 'trading', 'max_positions'), l.max_positions)),
    'max_order_size', private.decimal_text(case when l.max_order_size is not null and l.currency <> a.currency then 0 else l.max_order_size end),
    'daily_loss_cap', private.decimal_text(case when l.daily_loss_cap is not null and l.currency <> a.currency then 0 else l.daily_loss_cap end),
    'quote_sources', coalesce(private.policy_value('trading', 'quote_sources'), '[]'),
    'max_quote_age_seconds', private.decimal_text(private.policy_number(0, 'trading', 'max_quote_age_seconds')),
    'max_price_drift_pct', private.decimal_text(private.policy_number(0, 'trading', 'max_price_drift_pct'))))
  from public.trading_accounts a left join public.limits l on l.account_id = a.account_id where a.account_id = p_account_id
$$;

create function private.limit_settings(p_task public.tasks) returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return coalesce(case
    when p_task.action = 'TRADE' then private.trade_limits(private.proposed(p_task.task_id, 'order') ->> 'account_id')
    when p_task.action in ('PAYMENT', 'WITHDRAWAL') then private.payment_limits(p_task.payload_json ->> 'account_id')
  end, '{}');
end
$$;
comment on function private.limit_settings(public.tasks) is 'The limits that an approval of this task is bound to; an empty object for actions without limits.';

-- Orders whose outcome is still open: each may become a position, and each may lose what it can lose.
create function private.orders_in_flight(p_account_id text, p_except_task text) returns table (task_id text, payload jsonb)
language sql stable set search_path = ''
as $$
  select e.task_id, e.payload_json from public.effects e
  where e.kind = 'trade' and e.status in ('reserved', 'sent', 'unknown') and e.payload_json ->> 'account_id' = p_account_id
    and e.task_id is distinct from p_except_task and e.payload_json ->> 'reduce_only' is distinct from 'true'
$$;
create index effects_trades_in_flight on public.effects ((payload_json ->> 'account_id'))
  where kind = 'trade' and status in ('reserved', 'sent', 'unknown');

-- What a position can still lose from the price of now to its stop: what it has lost already is in the equity. Without
-- this three orders one after another could each risk the whole day's loss.
create function private.open_risk(p_position public.positions) returns numeric
language plpgsql stable set search_path = ''
as $$
declare
  v_side text := case p_position.side when 'long' then 'sell' else 'buy' end;
  v_out numeric := private.fill_price(v_side, p_position.stop_loss, null, private.policy_number(0, 'trading', 'slippage_pct'));
  v_now numeric := coalesce((private.latest_quote(p_position.symbol)).price, p_position.entry_price);
begin
  return greatest(0, round(p_position.open_quantity * case v_side when 'sell' then v_now - v_out else v_out - v_now end, 18)
    + private.fill_fee(p_position.open_quantity, v_out, private.policy_number(0, 'trading', 'fee_pct')));
end
$$;

create type private.account_standing as (equity numeric, equity_at_open numeric, peak numeric, day_loss numeric,
  open_positions integer, open_risk numeric, in_flight integer, in_flight_loss numeric);

-- Where an account stands now; whoever decides on it holds its row's lock. Null figures where a price is missing.
create function private.account_standing(p_account public.trading_accounts, p_except_task text) returns private.account_standing
language plpgsql set search_path = ''
as $$
declare
  v_standing private.account_standing;
begin
  v_standing.equity := private.equity_at(p_account.account_id, private.now());
  v_standing.equity_at_open := (private.account_day(p_account)).equity_at_open;
  v_standing.peak := greatest(p_account.peak_equity, v_standing.equity);
  v_standing.day_loss := greatest(0, v_standing.equity_at_open - v_standing.equity);
  select count(*), coalesce(sum(private.open_risk(p)), 0) into v_standing.open_positions, v_standing.open_risk
  from public.positions p where p.account_id = p_account.account_id and p.open_quantity > 0;
  select count(*), coalesce(sum(private.worst_case(f.payload, coalesce(private.touch_of(private.latest_quote(f.payload ->> 'symbol'),
    f.payload ->> 'side'), private.positive_decimal(f.payload ->> 'take_profit')))), 0)
  into v_standing.in_flight, v_standing.in_flight_loss
  from private.orders_in_flight(p_account.account_id, p_except_task) f;
  return v_standing;
end
$$;

-- Each limit with what the order would make of it, in the order in which they are shown. An account that has lost everything is
-- beyond every percentage.
create function private.limit_rows(p_standing private.account_standing, p_limits jsonb, p_order jsonb, p_touch numeric)
returns table (name text, value numeric, threshold numeric, exceeded boolean)
language sql stable set search_path = ''
as $$
  with figures as (
    select round(private.positive_decimal(p_order ->> 'quantity') * p_touch, 18) as size,
      (p_standing).open_positions + (p_standing).in_flight + 1 as positions,
      (p_standing).day_loss + (p_standing).open_risk + (p_standing).in_flight_loss + private.worst_case(p_order, p_touch) as loss,
      (p_standing).peak - (p_standing).equity as fallen
  )
  select l.name, l.value, l.threshold, l.exceeded from figures f, lateral (values
    (1, 'max_order_size', f.size, (p_limits ->> 'max_order_size')::numeric, f.size > (p_limits ->> 'max_order_size')::numeric),
    (2, 'max_positions', f.positions, (p_limits ->> 'max_positions')::numeric, f.positions > (p_limits ->> 'max_positions')::numeric),
    (3, 'max_daily_loss_pct', round(f.loss * 100 / nullif((p_standing).equity_at_open, 0), 6), (p_limits ->> 'max_daily_loss_pct')::numeric,
      (p_standing).equity_at_open <= 0 or f.loss * 100 > (p_limits ->> 'max_daily_loss_pct')::numeric * (p_standing).equity_at_open),
    (4, 'daily_loss_cap', f.loss, (p_limits ->> 'daily_loss_cap')::numeric, f.loss > (p_limits ->> 'daily_loss_cap')::numeric),
    (5, 'max_drawdown_pct', round(f.fallen * 100 / (p_standing).peak, 6), (p_limits ->> 'max_drawdown_pct')::numeric,
      f.fallen * 100 > (p_limits ->> 'max_drawdown_pct')::numeric * (p_standing).peak)
  ) l(place, name, value, threshold, exceeded)
  where l.threshold is not null order by l.place
$$;

create function private.drawdown_pct(p_account_id text) returns numeric
language sql stable set search_path = ''
as $$
  select round(greatest(0, a.peak_equity - e.equity) * 100 / a.peak_equity, 6)
  from public.trading_accounts a, lateral (select private.equity_at(a.account_id, private.now()) as equity) e
  where a.account_id = p_account_id
$$;

-- Opens the alert of a limit that is broken, and closes it where the account is back inside. Null: not known, so nothing changes.
create function private.mark_limit(p_code text, p_account_id text, p_broken boolean, p_value text, p_threshold text) returns void
language plpgsql set search_path = ''
as $$
begin
  if p_broken then
    perform private.raise_alert(p_code, 'critical', 'account:' || p_account_id, p_value, p_threshold, null);
  elsif not p_broken then
    update public.alerts a set closed_at = private.now() where a.code = p_code and a.subject = 'account:' || p_account_id and a.closed_at is null;
  end if;
end
$$;

-- After every fill and every price: the peak rises, and what is beyond a limit without anybody ordering anything rings.
create function private.mark_account(p_account_id text) returns void
language plpgsql set search_path = ''
as $$
declare
  v_account public.trading_accounts;
  v_limits jsonb := private.trade_limits(p_account_id);
  v_now private.account_standing;
begin
  select a.* into v_account from public.trading_accounts a where a.account_id = p_account_id for update;
  v_now := private.account_standing(v_account, null);
  if v_now.equity > v_account.peak_equity then
    update public.trading_accounts a set peak_equity = v_now.equity where a.account_id = p_account_id;
  end if;
  perform private.mark_limit('drawdown_breach', p_account_id, (v_now.peak - v_now.equity) * 100 > (v_limits ->> 'max_drawdown_pct')::numeric * v_now.peak,
    private.decimal_text(round((v_now.peak - v_now.equity) * 100 / v_now.peak, 4)), v_limits ->> 'max_drawdown_pct');
  perform private.mark_limit('positions_breach', p_account_id, v_now.open_positions > (v_limits ->> 'max_positions')::numeric,
    v_now.open_positions::text, v_limits ->> 'max_positions');
  perform private.mark_limit('daily_loss_breach', p_account_id, v_now.day_loss * 100 > (v_limits ->> 'max_daily_loss_pct')::numeric * v_now.equity_at_open
    or coalesce(v_now.day_loss > (v_limits ->> 'daily_loss_cap')::numeric, false),
    private.decimal_text(v_now.day_loss), coalesce(v_limits ->> 'daily_loss_cap', (v_limits ->> 'max_daily_loss_pct') || '%'));
end
$$;

create function api.account_state(p_account_id text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_account public.trading_accounts;
  v_standing private.account_standing;
begin
  select a.* into v_account from public.trading_accounts a where a.account_id = p_account_id;
  if v_account.account_id is null then
    return private.refuse('unknown_account', 'trader', 'account.read', 'account:' || left(p_account_id, 64), null, 'There is no such account.');
  end if;
  v_standing := private.account_standing(v_account, null);
  if v_standing.equity is null or v_standing.equity_at_open is null then
    return private.refuse('unknown_account', 'trader', 'account.read', 'account:' || p_account_id, null, case
      when v_standing.equity is null then 'Its equity is not known: a symbol it holds has no price on record.'
      else 'Its equity at 00:00 UTC is not on record and cannot be worked out from what is.' end);
  end if;
  return jsonb_build_object('account_id', v_account.account_id, 'channel', v_account.channel, 'currency', v_account.currency, 'status', v_account.status,
    'equity', private.decimal_text(v_standing.equity), 'equity_at_open', private.decimal_text(v_standing.equity_at_open),
    'peak_equity', private.decimal_text(v_standing.peak), 'day_loss', private.decimal_text(v_standing.day_loss),
    'open_positions', v_standing.open_positions::text, 'in_flight', v_standing.in_flight::text,
    'open_risk', private.decimal_text(v_standing.open_risk), 'in_flight_loss', private.decimal_text(v_standing.in_flight_loss), 'limits', private.trade_limits(p_account_id),
    'positions', coalesce((select jsonb_agg(jsonb_build_object('symbol', p.symbol, 'side', p.side, 'open_quantity', private.decimal_text(p.open_quantity))
      order by p.opened_at, p.position_id) from public.positions p where p.account_id = p_account_id and p.open_quantity > 0), '[]'));
end
$$;
comment on function api.account_state(text) is
  'Where an account stands: equity now and at 00:00 UTC, peak, loss of the day, positions and what they can still lose, orders in flight, limits. Refuses unknown_account, also where a figure is missing.';
revoke all on function api.account_state(text) from public;
grant execute on function api.account_state(text) to service_role;
