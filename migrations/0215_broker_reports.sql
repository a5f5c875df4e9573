-- The promise of this file: what a broker says is booked under the key of the effect that asked for it, once; what it does not
-- say is never a reason to count less than may be held. Refuses: invalid_request, not_found, illegal_transition.

create function private.execution_problem(p_fills jsonb, p_account_id text, p_most numeric) returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_fill jsonb;
  v_total numeric := 0;
  v_at timestamptz;
begin
  if jsonb_typeof(p_fills) is distinct from 'array' or jsonb_array_length(p_fills) not between 1 and 100 then
    return 'There are no fills.';
  end if;
  for v_fill in select f from jsonb_array_elements(p_fills) f loop
    if coalesce(length(v_fill ->> 'id'), 0) not between 1 and 100 or private.positive_decimal(v_fill ->> 'quantity') is null
      or private.positive_decimal(v_fill ->> 'price') is null or coalesce(v_fill ->> 'fee', '') !~ '^(0|[1-9][0-9]{0,9})(\.[0-9]{1,18})?$'
      or coalesce(v_fill ->> 'executed_at', '') !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$' then
      return 'A fill has an id, a quantity, a price, a fee and a moment in UTC.';
    end if;
    v_at := (v_fill ->> 'executed_at')::timestamptz;
    v_total := v_total + (v_fill ->> 'quantity')::numeric;
  end loop;
  return case
    when v_total > p_most then 'More was filled than was ordered or is open.'
    when (select count(*) <> count(distinct f ->> 'id') from jsonb_array_elements(p_fills) f) then 'Two fills share one id.'
    when exists (select 1 from public.fills b, jsonb_array_elements(p_fills) f where b.account_id = p_account_id and b.external_id = f ->> 'id')
      then 'A fill of this id is booked already.'
  end;
exception when datetime_field_overflow then
  return 'A fill has an id, a quantity, a price, a fee and a moment in UTC.';
end
$$;

-- A broker's fills. Where an effect is confirmed without any that can be read, the whole order is taken as filled at the approved
-- price: limits must not shrink because a broker was brief.
create function private.book_report(p_effect public.effects, p_receipt jsonb) returns void
language plpgsql set search_path = ''
as $$
declare
  v_order public.orders;
  v_account text := p_effect.payload_json ->> 'account_id';
  v_quantity numeric := private.positive_decimal(p_effect.payload_json ->> 'quantity');
  v_side text := p_effect.payload_json ->> 'side';
  v_approved numeric;
  v_problem text;
  v_price numeric;
  v_fill jsonb;
  v_left numeric := 0;
begin
  perform 1 from public.trading_accounts a where a.account_id = v_account for update;
  v_problem := private.execution_problem(p_receipt -> 'fills', v_account, v_quantity);
  v_approved := coalesce(private.positive_decimal(private.json_member((private.dry_run_of(p_effect.task_id)).content, 'price') #>> '{}'),
    private.touch_of(private.latest_quote(p_effect.payload_json ->> 'symbol'), v_side));
  v_order := private.insert_order(p_effect, left(p_receipt ->> 'broker_order_id', 100));
  if v_problem is null then
    for v_fill in select f from jsonb_array_elements(p_receipt -> 'fills') f order by f ->> 'executed_at', f ->> 'id' loop
      v_left := v_left + private.book_execution(v_order, (v_fill ->> 'quantity')::numeric, (v_fill ->> 'price')::numeric, v_approved,
        (v_fill ->> 'fee')::numeric, 'reported', null, v_fill ->> 'id', (v_fill ->> 'executed_at')::timestamptz);
    end loop;
  else
    v_price := private.fill_price(v_side, v_approved, v_order.price, private.policy_number(0, 'trading', 'slippage_pct'));
    v_left := private.book_execution(v_order, v_quantity, v_price, v_approved,
      private.fill_fee(v_quantity, v_price, private.policy_number(0, 'trading', 'fee_pct')), 'assumed', null, null, null);
    perform private.raise_alert('fills_assumed', 'critical', 'effect:' || p_effect.effect_id, v_problem, null, p_effect.task_id);
  end if;
  if v_left > 0 then
    perform private.raise_alert('position_mismatch', 'critical', 'account:' || v_account, private.decimal_text(v_left), '0', p_effect.task_id);
  end if;
  perform private.mark_account(v_account);
end
$$;
comment on function private.book_report(public.effects, jsonb) is 'Books what a broker confirmed; without fills that can be read, the whole order at the approved price, and an alert.';

-- Stop or target hit at the broker: fills that close the position which this effect opened.
create function private.book_exits(p_effect public.effects, p_report jsonb) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_order public.orders;
  v_open numeric;
  v_new jsonb;
  v_fill jsonb;
  v_problem text;
begin
  select o.* into v_order from public.orders o where o.effect_id = p_effect.effect_id;
  perform 1 from public.trading_accounts a where a.account_id = v_order.account_id for update;
  -- A report that came before is no new one: what is booked is left out first.
  select coalesce(jsonb_agg(f), '[]') into v_new from jsonb_array_elements(case when jsonb_typeof(p_report -> 'fills') = 'array' then p_report -> 'fills' else '[]' end) f
  where not exists (select 1 from public.fills b where b.account_id = v_order.account_id and b.external_id = f ->> 'id');
  if v_new = '[]' and jsonb_typeof(p_report -> 'fills') = 'array' and p_report -> 'fills' <> '[]' then
    return jsonb_build_object('status', 'confirmed', 'duplicate', true);
  end if;
  select coalesce(sum(p.open_quantity), 0) into v_open from public.positions p where p.position_id = v_order.order_id;
  v_problem := case when v_order.reduce_only then 'A reduction has no stop and no target.'
    when exists (select 1 from jsonb_array_elements(v_new) f where coalesce(f ->> 'kind', '') not in ('stop_loss', 'take_profit')) then 'An exit is a stop_loss or a take_profit.'
    else private.execution_problem(v_new, v_order.account_id, v_open) end;
  if v_problem is not null then
    return private.refuse('invalid_request', 'broker', 'effect.report', 'effect:' || p_effect.effect_id, p_effect.task_id, v_problem);
  end if;
  perform private.act_as('broker', 'position.close');
  for v_fill in select f from jsonb_array_elements(v_new) f order by f ->> 'executed_at', f ->> 'id' loop
    perform private.book_fill(v_order, v_order.order_id, v_fill ->> 'kind', private.other_side(v_order.side), (v_fill ->> 'quantity')::numeric,
      (v_fill ->> 'price')::numeric, case v_fill ->> 'kind' when 'stop_loss' then v_order.stop_loss else v_order.take_profit end,
      (v_fill ->> 'fee')::numeric, 'reported', null, v_fill ->> 'id', (v_fill ->> 'executed_at')::timestamptz);
  end loop;
  perform private.mark_account(v_order.account_id);
  return jsonb_build_object('status', 'confirmed', 'duplicate', false, 'booked', jsonb_array_length(v_new));
end
$$;

create function api.accept_broker_report(p_report jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_effect public.effects;
  v_status text := p_report ->> 'status';
  v_key text := p_report ->> 'key';
begin
  if coalesce(v_status, '') not in ('filled', 'rejected', 'closed') or coalesce(length(v_key), 0) not between 1 and 500 or octet_length(p_report::text) > 16384 then
    return private.refuse('invalid_request', 'broker', 'effect.report', 'effect:' || left(v_key, 64), null, 'A report has a key and a status: filled, rejected or closed.');
  end if;
  -- Task before effect, as everywhere.
  perform 1 from public.tasks t where t.task_id = (select e.task_id from public.effects e where e.idempotency_key = v_key) for no key update;
  select e.* into v_effect from public.effects e where e.idempotency_key = v_key and e.kind = 'trade' and e.channel = 'http-bridge' for update;
  if v_effect.effect_id is null then
    return private.refuse('not_found', 'broker', 'effect.report', 'effect:' || left(v_key, 64));
  end if;
  if v_effect.status = 'confirmed' and v_status = 'closed' then
    return private.book_exits(v_effect, p_report);
  elsif (v_effect.status, v_status) in (('confirmed', 'filled'), ('failed', 'rejected')) then
    return jsonb_build_object('status', v_effect.status, 'duplicate', true, 'task_id', v_effect.task_id);
  elsif v_effect.status not in ('sent', 'unknown') or v_status = 'closed' then
    -- A person may have settled what the broker now tells otherwise: then what is booked is not what is held.
    if (v_effect.status, v_status) in (('failed', 'filled'), ('failed', 'closed'), ('confirmed', 'rejected'), ('reserved', 'filled')) then
      perform private.raise_alert('position_mismatch', 'critical', 'account:' || (v_effect.payload_json ->> 'account_id'),
        format('effect %s is %s here, %s at the broker', left(v_effect.effect_id::text, 8), v_effect.status, v_status), v_effect.status, v_effect.task_id);
    end if;
    return private.refuse('illegal_transition', 'broker', 'effect.report', 'effect:' || v_effect.effect_id, v_effect.task_id,
      'The report does not fit what is on record.', jsonb_build_object('status', v_effect.status));
  end if;
  perform private.act_as('broker', 'effect.report');
  if v_status = 'filled' then
    update public.tasks t set status = 'publishing', reason = null where t.task_id = v_effect.task_id and t.status = 'paused';
    perform private.close_effect(v_effect.effect_id, 'confirmed', p_report - 'key');
  else
    perform private.close_effect(v_effect.effect_id, 'failed', jsonb_build_object('status', 'rejected', 'error', coalesce(p_report ->> 'reason', 'the broker refused it')));
    update public.task_steps s set status = 'failed', ended_at = private.now(), lease_token = null, lease_expires_at = null,
      last_error = left(p_report ->> 'reason', 500) where s.step_id = v_effect.step_id;
    perform private.end_task(v_effect.task_id, 'failed', 'unavailable');
  end if;
  return jsonb_build_object('status', case v_status when 'filled' then 'confirmed' else 'failed' end, 'duplicate', false, 'task_id', v_effect.task_id);
end
$$;
comment on function api.accept_broker_report(jsonb) is
  'Settles a sent or unknown order by its key, once, and books exits at the broker; one that contradicts what is on record is refused, and rings. The door has verified the signature. Refuses invalid_request, not_found, illegal_transition.';
revoke all on function api.accept_broker_report(jsonb) from public;
grant execute on function api.accept_broker_report(jsonb) to service_role;
