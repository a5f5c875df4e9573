-- The promise of this file: measurements lie in monthly partitions under their old name, with every row that was there.
-- Refuses: nothing.

-- Global uniqueness is not needed: the archive writes a task's measurements once and is frozen with it.
alter table public.metrics set schema private;
alter table private.metrics drop constraint metrics_pkey, add constraint metrics_pkey primary key (task_id, name, ts);
revoke all on private.metrics from auditor, authenticated;

create table public.metrics (
  task_id text not null references public.tasks (task_id),
  name text not null,
  value numeric not null,
  unit text not null,
  ts timestamptz not null default private.now(),
  primary key (task_id, name, ts)
) partition by range (ts);
comment on table public.metrics is 'What a finished task measured: milliseconds per hop, score, attempts. One partition a month.';

insert into private.partitioned_tables (table_name, truncate_guard) values ('metrics', 'measurement');

do $attach$
declare
  v_newest timestamptz := (select max(m.ts) from private.metrics m);
  v_until date := (date_trunc('month', greatest(private.now(), v_newest) at time zone 'UTC') + interval '1 month')::date;
begin
  execute format('alter table public.metrics attach partition private.metrics for values from (minvalue) to (%L)',
    to_char(v_until, 'YYYY-MM-DD') || ' 00:00:00+00');
  create table private.metrics_rest partition of public.metrics default;
  perform private.guard_partition('private.metrics', 'measurement'), private.guard_partition('private.metrics_rest', 'measurement');
  perform private.add_partition('metrics', (v_until + make_interval(months => i))::date) from generate_series(0, 2) i;
end
$attach$;

select private.close_table('public.metrics');
select private.allow_members('public.metrics', 'owner', 'operator', 'reviewer');
select private.point_views('metrics');
