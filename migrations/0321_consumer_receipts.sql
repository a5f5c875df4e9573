-- The promise of this file: a consumer handles an event once, however often it is delivered; each delivery is counted, a
-- handling that was begun and not finished is handed out again. Refuses: not_found, stale_lease, invalid_request.

alter table public.event_consumers add column passes_on boolean not null default false;
comment on column public.event_consumers.passes_on is 'Hands events on to others and does nothing by itself: its repeats are deliveries, not executions.';

-- One row per consumer and event, with counts, instead of one per delivery: a consumer that falls behind must not
-- grow the table by its retries.
create table public.consumer_receipts (
  consumer text not null references public.event_consumers (consumer),
  event_id uuid not null,
  handed integer not null default 1 check (handed > 0),
  skipped integer not null default 0 check (skipped >= 0),
  rewound integer not null default 0 check (rewound >= 0),
  first_delivered_at timestamptz not null default private.now(),
  last_delivered_at timestamptz not null default private.now(),
  lease_token uuid,
  lease_expires_at timestamptz,
  consumed_at timestamptz,
  primary key (consumer, event_id),
  constraint leased_exactly_until_a_time check ((lease_token is null) = (lease_expires_at is null)),
  constraint what_is_consumed_is_not_leased check (consumed_at is null or lease_token is null),
  constraint taken_back_less_often_than_handed_out check (rewound <= handed)
);
comment on table public.consumer_receipts is
  'Which consumer was given which event: handed out to be handled, skipped as seen, taken back by a rewind. consumed_at marks completion.';
comment on column public.consumer_receipts.event_id is 'No foreign key: events are never removed, and the key''s lock would write to their rows once per delivery.';
comment on column public.consumer_receipts.handed is 'How often it was handed out to be handled. More than once, less what was taken back, is a repeated execution.';
create index consumer_receipts_by_time on public.consumer_receipts (consumer, last_delivered_at);
create index consumer_receipts_leased on public.consumer_receipts (lease_token) where lease_token is not null;

create function api.take_event(p_consumer text, p_event_id uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_token uuid := gen_random_uuid();
  v_receipt public.consumer_receipts;
begin
  if not exists (select 1 from public.event_consumers c where c.consumer = p_consumer)
    or not exists (select 1 from public.events e where e.event_id = p_event_id) then
    return private.refuse('not_found', p_consumer, 'event.take', 'event:' || coalesce(p_event_id::text, '?'), null, 'There is no such consumer or event.');
  end if;
  if private.consumer_is_paused(p_consumer) then
    return jsonb_build_object('outcome', 'paused');
  end if;
  -- Of copies that arrive together one makes the row; the others wait for it here and find it.
  insert into public.consumer_receipts as r (consumer, event_id, lease_token, lease_expires_at)
  values (p_consumer, p_event_id, v_token, v_now + interval '30 seconds')
  on conflict (consumer, event_id) do update set last_delivered_at = v_now,
    handed = r.handed + (r.consumed_at is null and coalesce(r.lease_expires_at <= v_now, true))::integer,
    skipped = r.skipped + (r.consumed_at is not null or coalesce(r.lease_expires_at > v_now, false))::integer,
    lease_token = case when r.consumed_at is null and coalesce(r.lease_expires_at <= v_now, true) then v_token else r.lease_token end,
    lease_expires_at = case when r.consumed_at is null and coalesce(r.lease_expires_at <= v_now, true)
      then v_now + interval '30 seconds' else r.lease_expires_at end
  returning * into v_receipt;
  if v_receipt.lease_token is distinct from v_token then
    return jsonb_build_object('outcome', 'skip', 'consumed', v_receipt.consumed_at is not null);
  end if;
  return jsonb_build_object('outcome', 'handle', 'lease_token', v_token, 'lease_expires_at', private.iso(v_receipt.lease_expires_at),
    'attempt', v_receipt.handed);
end
$$;
comment on function api.take_event(text, uuid) is
  'A delivery of an event to a consumer: handle it (leased for 30 seconds), or skip, since it was handled (consumed) or is being handled. Refuses not_found.';
revoke all on function api.take_event(text, uuid) from public;
grant execute on function api.take_event(text, uuid) to service_role;

create function api.finish_event(p_consumer text, p_event_id uuid, p_lease_token uuid) returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  -- A lease that ran out and that nobody took over still speaks: the work was done.
  update public.consumer_receipts r set consumed_at = private.now(), lease_token = null, lease_expires_at = null
  where r.consumer = p_consumer and r.event_id = p_event_id and r.lease_token = p_lease_token;
  if not found then
    return private.refuse('stale_lease', p_consumer, 'event.finish', 'event:' || coalesce(p_event_id::text, '?'));
  end if;
  return jsonb_build_object('consumed', true);
end
$$;
comment on function api.finish_event(text, uuid, uuid) is 'The event was handled: every later delivery is skipped. Refuses stale_lease, when another delivery holds it or it was finished.';
revoke all on function api.finish_event(text, uuid, uuid) from public;
grant execute on function api.finish_event(text, uuid, uuid) to service_role;

create function private.prune_receipts() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_count integer;
begin
  delete from public.consumer_receipts r where r.consumed_at is not null
    and r.last_delivered_at < private.now() - make_interval(days => private.policy_number(90, 'windows', 'raw_days')::integer);
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function private.prune_receipts() is 'The retention job of receipts: what was consumed longer ago than windows.raw_days leaves. A copy that arrives after that would be handled again.';
insert into public.jobs (job_name, every_seconds) values ('prune_receipts', 86400);

-- Receipts are the record themselves; an audit row for each delivery would double every write of the bus.
select private.close_table('public.consumer_receipts');
select private.allow_members('public.consumer_receipts', 'owner', 'operator', 'reviewer');
