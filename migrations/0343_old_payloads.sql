-- The promise of this file: events stay one table, since their key is unique for all time, and stay small: what an old event of
-- a finished T0 or T1 task carried moves out whole, and is read back under the same name. T2 and T3 are left as they are.
-- Raises: AGHIS (history_is_append_only).

create table public.event_payloads (
  event_id uuid not null,
  ts timestamptz not null,
  payload_json jsonb not null,
  moved_at timestamptz not null default private.now(),
  primary key (event_id, ts)
) partition by range (ts);
comment on table public.event_payloads is 'What events carried that are older than the policy''s windows.raw_days, for tasks of T0 and T1; ts is the event''s. One partition a month.';
create table private.event_payloads_rest partition of public.event_payloads default;
select private.guard_partition('private.event_payloads_rest', 'history');
insert into private.partitioned_tables (table_name, truncate_guard) values ('event_payloads', 'history');
select private.close_table('public.event_payloads');
select private.allow_members('public.event_payloads', 'owner', 'operator', 'reviewer');
select private.keep_history('public.event_payloads');

create function private.moved_payload() returns jsonb
language sql immutable set search_path = ''
as $$ select '{"moved_to": "event_payloads"}'::jsonb $$;

-- One more statement is known by its place on the stack, and it is looked at closer than a delete: everything but the payload
-- stays, and the payload lies in event_payloads already, as it was.
create or replace function private.refuse_history_change() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_stack text;
begin
  get diagnostics v_stack = pg_context;
  if v_stack ~ ('^PL/pgSQL function private\.refuse_history_change\(\) line [0-9]+ at GET DIAGNOSTICS\n'
      'SQL statement "delete from public\.(event_receipts r where r|telegram_updates u where u)\.received_at < v_before"\n'
      'PL/pgSQL function private\.prune_history\(\) line ') then
    return old;
  end if;
  if tg_op = 'UPDATE' and tg_table_schema || '.' || tg_table_name = 'public.events' and regexp_like(v_stack,
      '^PL/pgSQL function private\.refuse_history_change\(\) line [0-9]+ at GET DIAGNOSTICS\n'
      'SQL statement "update public\.events e set payload_json = private\.moved_payload\(\) where e\.event_id = any \(v_moved\)"\n'
      'PL/pgSQL function private\.move_old_payloads\(\) line ') then
    if to_jsonb(new) - 'payload_json' = to_jsonb(old) - 'payload_json' and new.payload_json = private.moved_payload()
      and exists (select 1 from public.event_payloads p where p.event_id = old.event_id and p.ts = old.ts and p.payload_json = old.payload_json) then
      return new;
    end if;
  end if;
  perform private.raise_refusal('history_is_append_only',
    format('%s on %s.%s is not allowed', tg_op, tg_table_schema, tg_table_name),
    'append a correcting row; the retention job alone removes old raw data');
  return null;
end
$$;

create function private.move_old_payloads() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_before timestamptz := private.now() - make_interval(days => private.policy_number(90, 'windows', 'raw_days')::integer);
  v_moved uuid[];
begin
  -- A thousand at a time: a first run over years must not hold its locks for hours.
  with old as materialized (
    select e.event_id, e.ts, e.payload_json from public.events e join public.tasks t using (task_id)
    where e.ts < v_before and e.payload_json <> private.moved_payload() and t.risk_tier in ('T0', 'T1') and t.ended_at < v_before
    order by e.ts limit 1000
  ), kept as (
    insert into public.event_payloads (event_id, ts, payload_json) select o.event_id, o.ts, o.payload_json from old o returning event_id
  )
  select array_agg(k.event_id) into v_moved from kept k;
  update public.events e set payload_json = private.moved_payload() where e.event_id = any (v_moved);
  if v_moved is not null then
    insert into public.audit_logs (actor, action, object, after_json) values ('clock', 'events.move_payloads', 'job:move_old_payloads',
      jsonb_build_object('before', private.iso(v_before), 'events', cardinality(v_moved)));
  end if;
  return coalesce(cardinality(v_moved), 0);
end
$$;
comment on function private.move_old_payloads() is 'Moves what old events of finished T0 and T1 tasks carried into event_payloads, a thousand at a time. The events themselves stay.';
insert into public.jobs (job_name, every_seconds) values ('move_old_payloads', 3600);
create index events_with_payload_by_time on public.events (ts) where payload_json <> '{"moved_to": "event_payloads"}'::jsonb;

create or replace view public.event_envelopes with (security_invoker = true) as
  select e.schema_version, e.event_id, e.type as event_type, e.task_id, e.agent,
    to_char(e.ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ts,
    case when e.payload_json = '{"moved_to": "event_payloads"}'::jsonb
      then (select p.payload_json from public.event_payloads p where p.event_id = e.event_id and p.ts = e.ts)
      else e.payload_json end as payload,
    e.idempotency_key, e.seq
  from public.events e;
