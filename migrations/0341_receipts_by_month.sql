-- The promise of this file: receipts lie in monthly partitions under their old name, with every row that was there, every
-- guard and every reader's right. Refuses: nothing.

-- The table moves into private with all that it holds and becomes the first partition; the name in public is then free for
-- the partitioned one. Nothing refers to a receipt by foreign key, so the key may carry the time.
alter table public.event_receipts set schema private;
alter table private.event_receipts alter column receipt_id drop identity;
alter table private.event_receipts drop constraint event_receipts_pkey, add constraint event_receipts_pkey primary key (receipt_id, received_at);
revoke all on private.event_receipts from auditor, authenticated;

create sequence public.event_receipt_numbers as bigint;
revoke all on sequence public.event_receipt_numbers from public, anon, authenticated, service_role;
create table public.event_receipts (
  receipt_id bigint not null default nextval('public.event_receipt_numbers'),
  received_at timestamptz not null default private.now(),
  tenant_id text not null default 'main',
  source text not null,
  source_name text not null,
  source_event_id text,
  body_sha256 text not null check (body_sha256 ~ '^[0-9a-f]{64}$'),
  content_type text,
  body text not null check (octet_length(body) <= 65536),
  task_id text references public.tasks (task_id),
  idempotency_key text,
  outcome text not null,
  code text references private.refusal_codes (code),
  reason text,
  primary key (receipt_id, received_at),
  constraint receipt_outcome_is_known check (outcome in ('accepted', 'duplicate', 'refused')),
  constraint refused_receipt_has_a_code check ((outcome = 'refused') = (code is not null)),
  constraint kept_receipt_has_a_task check ((outcome <> 'refused') = (task_id is not null))
) partition by range (received_at);
alter sequence public.event_receipt_numbers owned by public.event_receipts.receipt_id;
comment on table public.event_receipts is 'Every delivery at the door as it came, without its secrets: accepted, merged or refused. One partition a month.';
create index event_receipts_repeats on public.event_receipts (source, source_name, body_sha256, received_at desc)
  where outcome = 'accepted';
create index event_receipts_by_task on public.event_receipts (task_id) where task_id is not null;
create index event_receipts_by_time on public.event_receipts (received_at);
create index event_receipts_refused on public.event_receipts (code) where code is not null;
create index event_receipts_ids on public.event_receipts (source, source_name, source_event_id)
  where source_event_id is not null and outcome = 'accepted';

insert into private.partitioned_tables (table_name, truncate_guard) values ('event_receipts', 'history');

do $attach$
declare
  v_newest timestamptz := (select max(r.received_at) from private.event_receipts r);
  v_until date := (date_trunc('month', greatest(private.now(), v_newest) at time zone 'UTC') + interval '1 month')::date;
begin
  perform setval('public.event_receipt_numbers', (select coalesce(max(r.receipt_id), 0) + 1 from private.event_receipts r), false);
  execute format('alter table public.event_receipts attach partition private.event_receipts for values from (minvalue) to (%L)',
    to_char(v_until, 'YYYY-MM-DD') || ' 00:00:00+00');
  create table private.event_receipts_rest partition of public.event_receipts default;
  perform private.guard_partition('private.event_receipts', 'history'), private.guard_partition('private.event_receipts_rest', 'history');
  perform private.add_partition('event_receipts', (v_until + make_interval(months => i))::date) from generate_series(0, 2) i;
end
$attach$;

-- Under another name than on the table that moved: its own trigger of that name stays where it is.
create trigger _101_append_only before update or delete on public.event_receipts
  for each row execute function private.refuse_history_change();
create trigger _100_no_truncate before truncate on public.event_receipts
  for each statement execute function private.refuse_history_change();
select private.close_table('public.event_receipts');
select private.allow_members('public.event_receipts', 'owner', 'operator', 'reviewer');
select private.point_views('event_receipts');
