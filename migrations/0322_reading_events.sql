-- The promise of this file: a consumer reads the events in order and at least once, under a lease; what it did not answer
-- for is read again, and from any position that it names. Refuses: not_found, stale_lease, invalid_request.

create table public.event_positions (
  consumer text primary key references public.event_consumers (consumer),
  generation integer not null default 0,
  written_by xid8 not null default '0',
  seq bigint not null default 0,
  lease_token uuid,
  lease_expires_at timestamptz,
  leased_up_to text,
  last_read_at timestamptz,
  last_acked_at timestamptz,
  constraint leased_exactly_with_a_batch check (num_nulls(lease_token, lease_expires_at, leased_up_to) in (0, 3))
);
comment on table public.event_positions is 'How far each reader of the events has answered for, and the batch that it holds now.';

create function private.event_json(p_event public.events, p_generation integer, p_deliveries integer) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('position', private.position_text(row(p_generation, p_event.written_by, p_event.seq)::private.event_position),
    'event_id', p_event.event_id, 'event_type', p_event.type, 'schema_version', p_event.schema_version, 'task_id', p_event.task_id,
    'agent', p_event.agent, 'ts', private.iso(p_event.ts), 'payload', p_event.payload_json, 'idempotency_key', p_event.idempotency_key,
    'seq', p_event.seq, 'deliveries', p_deliveries)
$$;

create function api.read_events(p_consumer text, p_limit integer default 100) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_token uuid := gen_random_uuid();
  v_limit integer := least(greatest(coalesce(p_limit, 100), 1), 1000);
  v_held public.event_positions;
  v_passed private.event_position;
  v_after private.event_position;
  v_window uuid[];
  v_last text;
  v_count integer;
  v_events jsonb;
begin
  if private.consumer_is_paused(p_consumer) then
    return jsonb_build_object('consumer', p_consumer, 'paused', true, 'events', '[]'::jsonb, 'more', false);
  end if;
  select p.* into v_held from public.event_positions p where p.consumer = p_consumer for update;
  if v_held.consumer is null then
    return private.refuse('not_found', p_consumer, 'events.read', 'consumer:' || coalesce(left(p_consumer, 64), '?'), null, 'No reader of this name is known.');
  end if;
  update public.event_positions p set last_read_at = v_now where p.consumer = p_consumer;
  v_passed := row(v_held.generation, v_held.written_by, v_held.seq)::private.event_position;
  v_after := v_passed;
  if v_held.lease_expires_at > v_now then
    return jsonb_build_object('consumer', p_consumer, 'position', private.position_text(v_passed), 'leased_until', private.iso(v_held.lease_expires_at), 'events', '[]'::jsonb, 'more', false);
  end if;
  perform private.notice_restored_events();
  loop
    -- What another delivery is handling right now is waited for, and so is all that comes after it.
    with next as materialized (
      select e.event_id, e.written_by, e.seq, row_number() over (order by e.written_by, e.seq) as n,
        r.consumed_at is null and r.lease_expires_at > v_now as in_hand, r.consumed_at is not null as seen
      from private.settled_events(v_after, v_limit) e
      left join public.consumer_receipts r on r.consumer = p_consumer and r.event_id = e.event_id
    ), open as (
      select x.* from next x where x.n < coalesce((select min(h.n) from next h where h.in_hand), 1000000)
    )
    select array_agg(o.event_id order by o.n) filter (where not o.seen), count(*),
      (array_agg(private.position_text(row((v_after).generation, o.written_by, o.seq)::private.event_position) order by o.n desc))[1]
    into v_window, v_count, v_last from open o;
    exit when v_window is not null;
    if v_count > 0 then
      v_after := private.position_of(v_last);
      v_passed := v_after;
    elsif (v_after).generation < private.current_generation() and not exists (select 1 from private.settled_events(v_after, 1)) then
      v_after := row((v_after).generation + 1, '0', 0)::private.event_position;
    else
      exit;
    end if;
  end loop;
  -- What was passed over is passed for good; what is handed out is passed when it is answered for.
  update public.event_positions p set generation = (v_passed).generation, written_by = (v_passed).written_by, seq = (v_passed).seq,
    lease_token = case when v_window is not null then v_token end,
    lease_expires_at = case when v_window is not null then v_now + interval '30 seconds' end,
    leased_up_to = case when v_window is not null then v_last end
  where p.consumer = p_consumer;
  if v_window is null then
    return jsonb_build_object('consumer', p_consumer, 'position', private.position_text(v_passed), 'events', '[]'::jsonb, 'more', false);
  end if;
  with handed as (
    insert into public.consumer_receipts as r (consumer, event_id, lease_token, lease_expires_at)
    select p_consumer, w.event_id, v_token, v_now + interval '30 seconds' from unnest(v_window) w(event_id) order by w.event_id
    on conflict (consumer, event_id) do update set handed = r.handed + 1, last_delivered_at = v_now,
      lease_token = excluded.lease_token, lease_expires_at = excluded.lease_expires_at
    returning r.event_id, r.handed
  )
  select jsonb_agg(private.event_json(e, (v_after).generation, h.handed) order by e.written_by, e.seq) into v_events
  from handed h join public.events e using (event_id);
  return jsonb_build_object('consumer', p_consumer, 'position', private.position_text(v_passed), 'lease_token', v_token, 'lease_expires_at', private.iso(v_now + interval '30 seconds'),
    'events', v_events, 'more', v_count = v_limit);
end
$$;
comment on function api.read_events(text, integer) is
  'The next events for a consumer, in order, leased for 30 seconds; the same again when they are not acknowledged. Nothing while another reader holds the lease or the consumer is paused. Refuses not_found.';
revoke all on function api.read_events(text, integer) from public;
grant execute on function api.read_events(text, integer) to service_role;

create function api.ack_events(p_consumer text, p_lease_token uuid, p_handled integer default null) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_held public.event_positions;
  v_up_to text;
  v_to private.event_position;
  v_count integer;
begin
  select p.* into v_held from public.event_positions p where p.consumer = p_consumer for update;
  if v_held.lease_token is null or v_held.lease_token is distinct from p_lease_token then
    return private.refuse('stale_lease', p_consumer, 'events.ack', 'consumer:' || coalesce(left(p_consumer, 64), '?'));
  end if;
  if p_handled < 0 then
    return private.refuse('invalid_request', p_consumer, 'events.ack', 'consumer:' || p_consumer, null, 'Say how many events of the batch were handled.');
  end if;
  with batch as materialized (
    select r.event_id, e.written_by, e.seq, row_number() over (order by e.written_by, e.seq) as n
    from public.consumer_receipts r join public.events e using (event_id)
    where r.lease_token = p_lease_token and r.consumer = p_consumer
  ), settled as (
    update public.consumer_receipts r set lease_token = null, lease_expires_at = null,
      consumed_at = case when b.n <= coalesce(p_handled, b.n) then v_now end
    from batch b where r.consumer = p_consumer and r.event_id = b.event_id returning b.n, b.written_by, b.seq, r.consumed_at
  )
  select count(s.consumed_at), case when bool_and(s.consumed_at is not null) then v_held.leased_up_to
    else (array_agg(private.position_text(row((private.position_of(v_held.leased_up_to)).generation, s.written_by, s.seq)::private.event_position)
      order by s.n desc) filter (where s.consumed_at is not null))[1] end
  into v_count, v_up_to from settled s;
  -- Where nothing was handled the reader stays where it is.
  v_to := coalesce(private.position_of(v_up_to), row(v_held.generation, v_held.written_by, v_held.seq)::private.event_position);
  update public.event_positions p set lease_token = null, lease_expires_at = null, leased_up_to = null,
    generation = (v_to).generation, written_by = (v_to).written_by, seq = (v_to).seq,
    last_acked_at = case when v_count > 0 then v_now else p.last_acked_at end
  where p.consumer = p_consumer;
  return jsonb_build_object('consumer', p_consumer, 'handled', v_count, 'position', private.position_text(v_to));
end
$$;
comment on function api.ack_events(text, uuid, integer) is
  'The first p_handled events of the batch were handled, all of them without it, none with 0; the rest is free to be read again at once. Refuses stale_lease, invalid_request.';
revoke all on function api.ack_events(text, uuid, integer) from public;
grant execute on function api.ack_events(text, uuid, integer) to service_role;

-- A row per batch and consumer in the audit log would be the bus told twice; rewinding and pausing are audited.
select private.close_table('public.event_positions');
select private.allow_members('public.event_positions', 'owner', 'operator', 'reviewer');
insert into public.event_consumers (consumer, passes_on) values ('redis-relay', true);
insert into public.event_positions (consumer) values ('redis-relay');
-- Its address carries a password; nobody is reminded of it where none is set.
insert into public.secret_rotations (name, scope, in_use) values ('REDIS_URL', '{redis-relay,orchestrator}', false);
