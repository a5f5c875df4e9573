-- The promise of this file: an account says what it is worth at 00:00 UTC, a price says who named it and when, and no
-- alert is ever a price. Every owner hears of a change of status or limits. Refuses: invalid_request, unknown_account, forbidden.

create table public.trading_accounts (
  account_id text primary key check (account_id ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
  tenant_id text not null default 'main',
  channel text not null,
  currency text not null check (currency ~ '^[A-Z]{3,10}$'),
  status text not null default 'active',
  opening_balance numeric(38, 18) not null check (opening_balance > 0),
  peak_equity numeric(38, 18) not null,
  opened_at timestamptz not null default private.now(),
  opened_by text not null,
  reason text,
  constraint account_channel_is_known check (channel in ('paper', 'http-bridge')),
  constraint account_status_is_known check (status in ('active', 'suspended')),
  constraint a_peak_is_not_below_the_start check (peak_equity >= opening_balance)
);
comment on table public.trading_accounts is 'Accounts that trades are booked on; paper lives here alone, http-bridge at a broker of the user''s.';

create table public.account_days (
  account_day_id uuid not null default gen_random_uuid() unique,
  account_id text not null references public.trading_accounts (account_id),
  day date not null,
  equity_at_open numeric(38, 18) not null,
  recorded_at timestamptz not null default private.now(),
  primary key (account_id, day)
);
comment on table public.account_days is 'The equity of an account at 00:00 UTC, which the day''s percentages are of.';

create table public.quotes (
  quote_id bigint generated always as identity primary key,
  tenant_id text not null default 'main',
  symbol text not null check (symbol ~ '^[A-Z0-9][A-Z0-9._:-]{1,31}$'),
  source text not null check (source ~ '^[a-z][a-z0-9_-]{0,31}$'),
  price numeric(38, 18) not null check (price > 0),
  bid numeric(38, 18) check (bid > 0),
  ask numeric(38, 18) check (ask > 0),
  observed_at timestamptz not null,
  recorded_at timestamptz not null default private.now(),
  constraint an_alert_is_no_quote_source check (source !~ '^(alert|signal|tradingview|webhook|intake|tasks|manual|cli)'),
  constraint a_bid_is_not_above_its_ask check (bid <= ask),
  constraint one_quote_of_a_source_and_moment unique (symbol, source, observed_at)
);
comment on table public.quotes is 'Prices as a named source of the policy gave them, with the source''s own time; append-only.';
create index quotes_newest on public.quotes (symbol, observed_at desc, quote_id desc);

create function private.decimal_text(p_value numeric) returns text
language sql immutable strict parallel safe set search_path = ''
as $$ select trim_scale(p_value)::text $$;
comment on function private.decimal_text(numeric) is 'A decimal as it travels: text, without trailing zeros.';

-- Null for anything that is not exactly one decimal above zero with at most 10 digits before the point and 18 behind it:
-- products of two such numbers still fit numeric(38, 18).
create function private.positive_decimal(p_text text) returns numeric
language sql immutable parallel safe set search_path = ''
as $$
  select case when p_text ~ '^(0|[1-9][0-9]{0,9})(\.[0-9]{1,18})?$' and p_text ~ '[1-9]' then p_text::numeric end
$$;

create function private.utc_day(p_at timestamptz) returns date
language sql immutable strict parallel safe set search_path = ''
as $$ select (p_at at time zone 'UTC')::date $$;

create function private.latest_quote(p_symbol text) returns public.quotes
language sql stable set search_path = ''
as $$
  select q from public.quotes q where q.symbol = p_symbol order by q.observed_at desc, q.quote_id desc limit 1
$$;

-- What one would get now: a buyer pays the ask, a seller takes the bid.
create function private.touch_of(p_quote public.quotes, p_side text) returns numeric
language sql immutable set search_path = ''
as $$ select coalesce(case p_side when 'buy' then p_quote.ask when 'sell' then p_quote.bid end, p_quote.price) $$;

create function private.account_json(p_account public.trading_accounts) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('account_id', p_account.account_id, 'channel', p_account.channel, 'currency', p_account.currency,
    'status', p_account.status, 'opening_balance', private.decimal_text(p_account.opening_balance), 'opened_at', private.iso(p_account.opened_at),
    'limits', (select jsonb_strip_nulls(jsonb_build_object('daily_loss_cap', private.decimal_text(l.daily_loss_cap),
      'max_order_size', private.decimal_text(l.max_order_size), 'max_drawdown_pct', private.decimal_text(l.max_drawdown_pct),
      'max_positions', l.max_positions::text)) from public.limits l where l.account_id = p_account.account_id))
$$;

create function api.open_account(p_account jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_id text := p_account ->> 'account_id';
  v_balance numeric := private.positive_decimal(p_account ->> 'opening_balance');
  v_account public.trading_accounts;
begin
  if coalesce(v_id, '') !~ '^[a-z0-9][a-z0-9_-]{0,63}$' or coalesce(p_account ->> 'channel', '') not in ('paper', 'http-bridge')
    or coalesce(p_account ->> 'currency', '') !~ '^[A-Z]{3,10}$' or v_balance is null then
    return private.refuse('invalid_request', p_actor, 'account.open', 'account:' || left(v_id, 64), null,
      'An account has an id, a channel (paper or http-bridge), a currency and an opening balance.');
  end if;
  perform private.act_as(coalesce(p_actor, 'administrator'), 'account.open');
  insert into public.trading_accounts (account_id, channel, currency, opening_balance, peak_equity, opened_by)
  values (v_id, p_account ->> 'channel', p_account ->> 'currency', v_balance, v_balance, coalesce(p_actor, 'administrator'))
  on conflict (account_id) do nothing returning * into v_account;
  if v_account.account_id is null then
    return private.refuse('invalid_request', p_actor, 'account.open', 'account:' || v_id, null, 'There is an account of this id.');
  end if;
  insert into public.account_days (account_id, day, equity_at_open) values (v_id, private.utc_day(v_account.opened_at), v_balance);
  return private.account_json(v_account);
end
$$;
comment on function api.open_account(jsonb, text) is
  'Opens a paper account, or names one that a broker bridge serves. Refuses invalid_request. Administrator only.';
revoke all on function api.open_account(jsonb, text) from public;
grant execute on function api.open_account(jsonb, text) to administrator;

create function api.set_account_status(p_account_id text, p_status text, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_account public.trading_accounts;
begin
  if coalesce(p_status, '') not in ('active', 'suspended') or coalesce(length(p_reason), 0) not between 1 and 500 then
    return private.refuse('invalid_request', p_actor, 'account.status', 'account:' || left(p_account_id, 64), null,
      'An account becomes active or suspended, with a reason.');
  end if;
  perform private.act_as(coalesce(p_actor, 'administrator'), 'account.status');
  update public.trading_accounts a set status = p_status, reason = p_reason where a.account_id = p_account_id returning * into v_account;
  if v_account.account_id is null then
    return private.refuse('unknown_account', p_actor, 'account.status', 'account:' || left(p_account_id, 64));
  end if;
  perform private.announce(jsonb_build_object('topic', 'account_status', 'subject', p_account_id, 'value', p_status, 'reason', p_reason,
    'by', coalesce(p_actor, 'administrator')), array['owner']);
  return private.account_json(v_account);
end
$$;
comment on function api.set_account_status(text, text, text, text) is
  'Suspends an account, so that no order starts on it, or lets it trade again; every owner is told. Refuses unknown_account, invalid_request. Administrator only.';
revoke all on function api.set_account_status(text, text, text, text) from public;
grant execute on function api.set_account_status(text, text, text, text) to administrator;

create function api.list_accounts() returns jsonb
language sql stable security definer set search_path = ''
as $$ select coalesce(jsonb_agg(private.account_json(a) order by a.account_id), '[]') from public.trading_accounts a $$;
comment on function api.list_accounts() is 'Every trading account with its own limits. Administrator only.';
revoke all on function api.list_accounts() from public;
grant execute on function api.list_accounts() to administrator;

-- Each limit that these would change, and whether it would let more through. A limit that was not set held nothing back.
create function private.changed_limits(p_account_id text, p_limits jsonb) returns table (name text, before numeric, after numeric, looser boolean)
language sql stable set search_path = ''
as $$
  select n.key, (b.row ->> n.key)::numeric, n.value::numeric, coalesce(n.value::numeric > (b.row ->> n.key)::numeric, false)
  from jsonb_each_text(p_limits) n left join (select to_jsonb(l) as row from public.limits l where l.account_id = p_account_id) b on true
  where n.value::numeric is distinct from (b.row ->> n.key)::numeric
$$;

create function api.set_limits(p_account_id text, p_limits jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_account public.trading_accounts;
  v_changed text;
begin
  select a.* into v_account from public.trading_accounts a where a.account_id = p_account_id for update;
  if v_account.account_id is null then
    return private.refuse('unknown_account', p_actor, 'limits.set', 'limit:' || left(p_account_id, 64));
  end if;
  if jsonb_typeof(p_limits) is distinct from 'object' or p_limits = '{}' or exists (select 1 from jsonb_each_text(p_limits) l
    where l.key not in ('daily_loss_cap', 'max_order_size', 'max_drawdown_pct', 'max_positions')
      or (l.key = 'max_positions' and coalesce(l.value, '') !~ '^[0-9]{1,6}$')
      or (l.key <> 'max_positions' and coalesce(l.value, '') !~ '^[0-9]{1,10}(\.[0-9]{1,18})?$')
      or (l.key = 'max_drawdown_pct' and coalesce(l.value, '') !~ '^[0-9]{1,3}(\.[0-9]{1,4})?$')) then
    return private.refuse('invalid_request', p_actor, 'limits.set', 'limit:' || p_account_id, null,
      'A limit is daily_loss_cap, max_order_size, max_drawdown_pct or max_positions, as a decimal.');
  end if;
  if exists (select 1 from private.changed_limits(p_account_id, p_limits) c where c.looser) and (v_account.status <> 'suspended'
    or exists (select 1 from public.positions p where p.account_id = p_account_id and p.open_quantity > 0)
    or exists (select 1 from private.orders_in_flight(p_account_id, null))) then
    return private.refuse('forbidden', p_actor, 'limits.set', 'limit:' || p_account_id, null,
      'A limit is loosened while the account is suspended, with nothing open and no order under way.');
  end if;
  select string_agg(format('%s %s, was %s', c.name, private.decimal_text(c.after), coalesce(private.decimal_text(c.before), 'not set')), '; ' order by c.name)
  into v_changed from private.changed_limits(p_account_id, p_limits) c;
  begin
    perform private.act_as(coalesce(p_actor, 'administrator'), 'limits.set');
    insert into public.limits as l (account_id, currency, daily_loss_cap, max_order_size, max_drawdown_pct, max_positions, updated_by)
    values (p_account_id, v_account.currency, (p_limits ->> 'daily_loss_cap')::numeric, (p_limits ->> 'max_order_size')::numeric,
      (p_limits ->> 'max_drawdown_pct')::numeric, (p_limits ->> 'max_positions')::integer, coalesce(p_actor, 'administrator'))
    on conflict (account_id) do update set currency = excluded.currency, updated_at = private.now(), updated_by = excluded.updated_by,
      daily_loss_cap = coalesce(excluded.daily_loss_cap, l.daily_loss_cap), max_order_size = coalesce(excluded.max_order_size, l.max_order_size),
      max_drawdown_pct = coalesce(excluded.max_drawdown_pct, l.max_drawdown_pct), max_positions = coalesce(excluded.max_positions, l.max_positions);
  exception when check_violation then
    return private.refuse('invalid_request', p_actor, 'limits.set', 'limit:' || p_account_id, null, 'A limit of an account may only tighten the policy.');
  end;
  if v_changed is not null then
    perform private.announce(jsonb_build_object('topic', 'account_limits', 'subject', p_account_id, 'value', v_changed,
      'by', coalesce(p_actor, 'administrator')), array['owner']);
  end if;
  return private.account_json(v_account);
end
$$;
comment on function api.set_limits(text, jsonb, text) is
  'Sets limits of one account; they may only tighten what the policy says, and are loosened only while it is suspended and flat. Every owner is told. Refuses unknown_account, invalid_request, forbidden. Administrator only.';
revoke all on function api.set_limits(text, jsonb, text) from public;
grant execute on function api.set_limits(text, jsonb, text) to administrator;

select private.close_table(t) from unnest(array['public.trading_accounts', 'public.account_days', 'public.quotes']::regclass[]) t;
select private.allow_members(t, 'owner', 'operator', 'reviewer')
  from unnest(array['public.trading_accounts', 'public.account_days', 'public.quotes']::regclass[]) t;
select private.keep_history('public.account_days');
select private.keep_history('public.quotes');
select private.audit('public.trading_accounts', 'account', 'account_id');
select private.audit('public.account_days', 'account_day', 'account_day_id');
select private.audit('public.quotes', 'quote', 'quote_id');
