-- The promise of this file: how far each consumer is behind and how much it was given twice is measured, and what was never
-- measured says unknown. Two figures ring: repeated executions and the critic's pass rate. Refuses: nothing.

create view public.consumer_lag with (security_invoker = true) as
with reader as (
  select p.consumer, p.last_read_at, p.lease_expires_at, b.behind, b.oldest
  from public.event_positions p
  cross join lateral (
    select coalesce((select max(g.up_to_seq) from public.event_generations g where g.generation < p.generation), 0) as seq_from,
      coalesce((select g.up_to_seq from public.event_generations g where g.generation = p.generation), 9223372036854775807) as seq_to
  ) bound
  cross join lateral (
    -- Whoever is further behind than this is no less late for being counted, and looking must stay cheap.
    select count(*) as behind, min(a.ts) as oldest from (
      (select e.ts from public.events e
      where p.last_read_at is not null and (e.written_by, e.seq) > (p.written_by, p.seq) and e.seq > bound.seq_from and e.seq <= bound.seq_to
      order by e.written_by, e.seq limit 100001)
      union all
      (select e.ts from public.events e where p.last_read_at is not null and bound.seq_to < 9223372036854775807 and e.seq > bound.seq_to limit 100001)
    ) a
  ) b
), worker as (
  select 'orchestrator' as consumer, count(*) as behind, min(s.run_at) as oldest from public.task_steps s
  where s.status = 'ready' and s.run_at <= now() and s.agent_class not in ('communicator', 'human')
  union all
  select 'communicator', count(*), min(q.run_at) from (
    select n.run_at from public.notifications n where n.status = 'queued' and n.run_at <= now()
    union all
    select s.run_at from public.task_steps s where s.status = 'ready' and s.run_at <= now() and s.agent_class = 'communicator') q
), delivered as (
  select r.consumer, sum(r.handed) as handed, sum(r.skipped) as skipped, sum(greatest(r.handed - r.rewound - 1, 0)) as repeats
  from public.consumer_receipts r where r.last_delivered_at > now() - interval '24 hours' group by r.consumer
)
select c.consumer, case when w.consumer is not null then 'worker' else 'reader' end as kind, c.paused, c.paused_by, c.paused_at, c.pause_reason,
  case when c.paused then 'paused' when k.known is not true then 'unknown' when k.behind = 0 then 'caught_up' else 'behind' end as status,
  case when k.known then k.behind end as lag_rows,
  case when k.known then round(coalesce(greatest(extract(epoch from now() - k.oldest), 0), 0), 3) end as lag_seconds,
  r.last_read_at, d.handed, d.skipped, d.repeats,
  round((d.skipped + d.repeats) / nullif(d.handed + d.skipped, 0)::numeric, 6) as duplicate_rate, now() as observed_at
from public.event_consumers c
left join reader r using (consumer) left join worker w using (consumer) left join delivered d using (consumer)
cross join lateral (
  -- A reader that never came has no lag: nobody knows whether there is one.
  select w.consumer is not null or r.last_read_at is not null as known, coalesce(w.behind, r.behind) as behind, coalesce(w.oldest, r.oldest) as oldest
) k;
comment on view public.consumer_lag is
  'How far each consumer is behind, in rows and in the age of the oldest, and what it was given in the last 24 hours: handed out, skipped as seen, handed out again. Rows are counted up to 100,001. Null and unknown where nothing was measured.';
revoke all on public.consumer_lag from public, anon, authenticated, service_role;
grant select on public.consumer_lag to auditor, authenticated;

create function api.consumer_lag() returns jsonb
language sql stable security definer set search_path = ''
as $$ select coalesce(jsonb_agg(to_jsonb(l) order by l.consumer), '[]') from public.consumer_lag l $$;
comment on function api.consumer_lag() is 'The rows of consumer_lag.';
revoke all on function api.consumer_lag() from public;
grant execute on function api.consumer_lag() to service_role;

-- An effect's key is unique, so counting keys would always find one of each: what may happen once is the effect of a step.
create view public.kpi_alerts with (security_invoker = true) as
with figure (kpi, subject, code, severity, samples, value, target, threshold, higher_is_worse) as (
  select 'duplicate_execution_rate', 'effects', 'duplicate_rate_high', 'critical', count(*),
    (count(*) - count(distinct e.step_id)) / nullif(count(*), 0)::numeric, 0.003, 0.01, true
  from public.effects e where e.status = 'confirmed' and e.confirmed_at > now() - interval '24 hours'
  union all
  select 'duplicate_execution_rate', 'consumer:' || c.consumer, 'duplicate_rate_high', 'critical', coalesce(x.executions, 0),
    x.repeats / nullif(x.executions, 0)::numeric, 0.003, 0.01, true
  from public.event_consumers c join public.event_positions p using (consumer) left join lateral (
    select sum(r.handed - r.rewound) as executions, sum(greatest(r.handed - r.rewound - 1, 0)) as repeats
    from public.consumer_receipts r where r.consumer = c.consumer and r.last_delivered_at > now() - interval '24 hours') x on true
  where not c.passes_on
  union all
  select 'critic_pass', 'all', 'critic_pass_low', 'warning', count(*), avg((v.verdict = 'pass')::integer::numeric), 0.95, 0.85, false
  from public.evaluations v where v.created_at > now() - interval '24 hours' and v.step_id is not null
  union all
  -- What is dead since the oldest snapshot was taken stays where it is, in every database of the server. Who may not see the
  -- sessions of others sees no figure.
  select 'oldest_snapshot', 'server', 'snapshot_held', 'warning', 1,
    case when pg_has_role(current_user, 'pg_read_all_stats', 'usage') then (
      select coalesce(max(extract(epoch from clock_timestamp() - a.xact_start)), 0) from pg_catalog.pg_stat_activity a
      where a.backend_type = 'client backend' and a.pid <> pg_backend_pid() and coalesce(a.backend_xmin, a.backend_xid) is not null) end,
    60, 300, true
)
select f.kpi, f.subject, f.code, f.severity, f.samples, round(f.value, 6) as value, f.target, f.threshold,
  case when f.samples = 0 or f.value is null then 'unknown'
    when f.higher_is_worse and f.value > f.threshold or not f.higher_is_worse and f.value < f.threshold then 'alert'
    when f.higher_is_worse and f.value >= f.target or not f.higher_is_worse and f.value < f.target then 'watch'
    else 'met' end as status, now() as observed_at
from figure f;
comment on view public.kpi_alerts is
  'The figures that ring, over 24 hours: beyond the target they are watched, beyond the threshold they are an alert. Repeated executions: above 1 % is critical, from 0.3 % watched. The critic''s pass rate: below 85 % is a warning, below 95 % watched. A transaction that keeps a snapshot: above 300 s is a warning, from 60 s watched.';
revoke all on public.kpi_alerts from public, anon, authenticated, service_role;
grant select on public.kpi_alerts to auditor, authenticated;

create function private.evaluate_alerts() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_figure record;
  v_count integer := 0;
begin
  perform private.act_as('clock', 'alert.evaluate');
  for v_figure in select k.* from public.kpi_alerts k where k.status <> 'unknown' order by k.kpi, k.subject loop
    if v_figure.status = 'alert' then
      v_count := v_count + 1;
      -- It is looked at every minute; one sighting in a quarter of an hour is enough for the record.
      if not exists (select 1 from public.alerts a where a.code = v_figure.code and a.subject = v_figure.subject and a.closed_at is null
        and a.last_seen_at > v_now - interval '15 minutes') then
        perform private.raise_alert(v_figure.code, v_figure.severity, v_figure.subject, v_figure.value::text, v_figure.threshold::text, null);
      end if;
    else
      -- Without a sample nothing is better: an alert stays open until a figure or a person closes it.
      update public.alerts a set closed_at = v_now where a.code = v_figure.code and a.subject = v_figure.subject and a.closed_at is null;
    end if;
  end loop;
  return v_count;
end
$$;
comment on function private.evaluate_alerts() is 'The job that opens one alert for each figure of kpi_alerts beyond its threshold, and closes it when the figure is back. Returns how many are beyond.';
insert into public.jobs (job_name, every_seconds) values ('evaluate_alerts', 60);
