-- The promise of this file: what is said about trades is summed from fills and results; without any it is unknown.
-- Refuses: unknown_account.

create function private.accounts_asked(p_member public.members, p_intent jsonb) returns setof public.trading_accounts
language sql stable set search_path = ''
as $$
  select a.* from public.trading_accounts a where a.tenant_id = p_member.tenant_id
    and (p_intent ->> 'account' is null or a.account_id = lower(p_intent ->> 'account'))
  order by a.account_id limit 8
$$;

create function private.no_account(p_member public.members, p_intent jsonb) returns jsonb
language sql volatile set search_path = ''
as $$
  select private.refuse('unknown_account', p_member.role || ':' || p_member.name, 'account.read', 'account:' || left(p_intent ->> 'account', 64))
    || jsonb_build_object('reply', 'refused', 'id', left(p_intent ->> 'account', 64))
$$;

create function private.on_positions(p_member public.members, p_intent jsonb, p_channel text) returns jsonb
language plpgsql set search_path = ''
as $$
begin
  if p_intent ->> 'account' is not null and not exists (select 1 from private.accounts_asked(p_member, p_intent)) then
    return private.no_account(p_member, p_intent);
  end if;
  return jsonb_build_object('reply', 'positions', 'accounts', coalesce((
    select jsonb_agg(jsonb_build_object('account_id', a.account_id, 'currency', a.currency, 'status', a.status,
      'in_flight', (select count(*) from private.orders_in_flight(a.account_id, null)),
      'max_positions', private.trade_limits(a.account_id) ->> 'max_positions',
      'positions', coalesce((select jsonb_agg(jsonb_build_object('symbol', p.symbol, 'side', p.side, 'quantity', private.decimal_text(p.open_quantity),
        'entry_price', private.decimal_text(p.entry_price), 'price', private.decimal_text(q.price), 'price_at', private.iso(q.observed_at),
        'stop_loss', private.decimal_text(p.stop_loss), 'take_profit', private.decimal_text(p.take_profit),
        'pnl', private.decimal_text(round(p.open_quantity * case p.side when 'long' then q.price - p.entry_price else p.entry_price - q.price end, 8)))
        order by p.opened_at, p.position_id)
        from public.positions p cross join lateral private.latest_quote(p.symbol) q where p.account_id = a.account_id and p.open_quantity > 0), '[]'))
      order by a.account_id) from private.accounts_asked(p_member, p_intent) a), '[]'));
end
$$;
comment on function private.on_positions(public.members, jsonb, text) is 'What is open on the asked account, or on all.';

create function private.on_pnl(p_member public.members, p_intent jsonb, p_channel text) returns jsonb
language plpgsql set search_path = ''
as $$
begin
  if p_intent ->> 'account' is not null and not exists (select 1 from private.accounts_asked(p_member, p_intent)) then
    return private.no_account(p_member, p_intent);
  end if;
  return jsonb_build_object('reply', 'pnl', 'accounts', coalesce((
    select jsonb_agg(jsonb_build_object('account_id', a.account_id, 'currency', a.currency, 'status', a.status,
      'equity', private.decimal_text(round(e.equity, 8)), 'today', private.decimal_text(round(e.equity - d.equity_at_open, 8)),
      'today_pct', private.decimal_text(round((e.equity - d.equity_at_open) * 100 / nullif(d.equity_at_open, 0), 2)),
      'drawdown_pct', private.decimal_text(round(private.drawdown_pct(a.account_id), 2)),
      'realized', private.decimal_text(round(r.realized, 8)), 'trades', r.trades, 'wins', r.wins) order by a.account_id)
    from private.accounts_asked(p_member, p_intent) a
      cross join lateral (select private.equity_at(a.account_id, private.now()) as equity) e
      left join public.account_days d on d.account_id = a.account_id and d.day = private.utc_day(private.now())
      cross join lateral (select sum(t.pnl) as realized, count(*) as trades, count(*) filter (where t.pnl > 0) as wins
        from public.trade_results t where t.account_id = a.account_id) r), '[]'));
end
$$;
comment on function private.on_pnl(public.members, jsonb, text) is 'Equity, the day''s profit or loss, drawdown and results of the asked account, or of all.';

-- What must never happen, one row each time it did.
create view public.trading_violations with (security_invoker = true) as
  select 'order_without_approval' as rule, o.account_id, 'order:' || o.order_id as subject, null::text as value, null::text as threshold, o.created_at as ts
  from public.orders o join public.effects e using (effect_id)
  where not exists (select 1 from public.approval_requests r where r.request_id = e.request_id and r.status = 'consumed')
  union all
  select 'price_too_old', f.account_id, 'fill:' || f.fill_id, round(extract(epoch from f.executed_at - q.observed_at), 3)::text, p.body #>> '{trading,max_quote_age_seconds}', f.executed_at
  from public.fills f join public.quotes q using (quote_id) join public.effects e on e.effect_id = (select o.effect_id from public.orders o where o.order_id = f.order_id)
    join public.approval_requests r on r.request_id = e.request_id join public.policies p on p.policy_sha256 = r.bound_to ->> 'policy'
  where f.kind in ('entry', 'reduction') and extract(epoch from f.executed_at - q.observed_at) > (p.body #>> '{trading,max_quote_age_seconds}')::numeric + 5
  union all
  select a.code, substr(a.subject, 9), 'alert:' || a.alert_id, a.value, a.threshold, a.opened_at
  from public.alerts a cross join lateral generate_series(1, case a.code when 'position_mismatch' then a.seen else 1 end) sighting
  where a.code in ('drawdown_breach', 'positions_breach', 'daily_loss_breach', 'position_mismatch');
comment on view public.trading_violations is 'Trading rules that were broken, and limits that the market broke: orders without a consumed approval, fills at old prices, breaches. A breach is one row from the moment it begins until the account is back inside, however often it is seen meanwhile, and the next one another; a mismatch is one row each time it is seen, since each is a report of its own.';
revoke all on public.trading_violations from public, anon, authenticated, service_role;
grant select on public.trading_violations to auditor, authenticated;

create view public.trading_figures with (security_invoker = true) as
with subjects (subject) as (
  select 'all' union all select a.account_id from public.trading_accounts a
), results as (
  select s.subject, r.* from subjects s join public.trade_results r on s.subject in ('all', r.account_id)
), figures (subject, figure, value, unit, samples, target) as (
  select s.subject, 'win_rate', avg(case when r.pnl > 0 then 1.0 else 0.0 end) filter (where r.result_id is not null), 'ratio', count(r.result_id), null::numeric
  from subjects s left join results r using (subject) group by s.subject
  union all
  select s.subject, 'max_drawdown', max(r.drawdown_pct), '%', count(r.drawdown_pct), (select (p.body #>> '{limits,trading,max_drawdown_pct}')::numeric from public.policies p where p.status = 'active')
  from subjects s left join results r using (subject) group by s.subject
  union all
  select s.subject, 'sl_adherence', avg(r.sl_ok::integer), 'ratio', count(r.sl_ok), null from subjects s left join results r using (subject) group by s.subject
  union all
  select s.subject, 'tp_adherence', avg(r.tp_ok::integer), 'ratio', count(r.tp_ok), null from subjects s left join results r using (subject) group by s.subject
  union all
  select s.subject, 'r_multiple', avg(r.r_multiple), 'R', count(r.r_multiple), null from subjects s left join results r using (subject) group by s.subject
  union all
  select s.subject, 'slippage', avg(f.slippage * 100 / (f.quantity * f.price)), '%', count(f.fill_id), null
  from subjects s left join public.fills f on s.subject in ('all', f.account_id) group by s.subject
  union all
  select s.subject, 'rule_violations', case when count(o.order_id) > 0 then (select count(*) from public.trading_violations v
    where v.rule in ('order_without_approval', 'price_too_old', 'position_mismatch') and s.subject in ('all', v.account_id)) end, 'count', count(o.order_id), 0
  from subjects s left join public.orders o on s.subject in ('all', o.account_id) group by s.subject
  union all
  select s.subject, 'limit_breaches', case when count(o.order_id) > 0 then (select count(*) from public.trading_violations v
    where v.rule in ('drawdown_breach', 'positions_breach', 'daily_loss_breach') and s.subject in ('all', v.account_id)) end, 'count', count(o.order_id), 0
  from subjects s left join public.orders o on s.subject in ('all', o.account_id) group by s.subject
)
select f.figure, f.subject, round(f.value, 6) as value, f.unit, f.samples, f.target,
  case when f.samples = 0 or f.value is null then 'unknown' when f.target is null then 'no_target' when f.value <= f.target then 'met' else 'missed' end as status,
  now() as observed_at
from figures f;
comment on view public.trading_figures is 'Win rate, drawdown, stop and target adherence, slippage, rule violations and limit breaches, over all accounts and per account; unknown where there is nothing to measure.';
revoke all on public.trading_figures from public, anon, authenticated, service_role;
grant select on public.trading_figures to auditor, authenticated;
