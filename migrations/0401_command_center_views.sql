-- The promise of this file: each page of the operators reads one view, which runs as whoever asks and computes everything from
-- the rows as they are. Nothing is kept. Refuses: nothing.

-- Counting every step of every open task took half a second on 10,000 tasks; who holds a lease, what is asked and what was not
-- seen to end are small sets with an index each. The offset keeps the planner from hashing every step for the few tasks it asks about.
create view command_center.signals with (security_invoker = true) as
  select t.task_id, t.status, t.risk_tier, t.goal, t.action, t.actor, t.source, t.reason, t.created_at, t.ended_at,
    t.ended_at is not null as closed, r.worker, r.claimed_at, r.leased_until, r.node_id, r.agent,
    r.task_id is not null as claimed, q.code as request_code, q.status as request_status, u.task_id is not null as effect_unseen, w.tool as waits_for_tool,
    t.status = 'running' and r.task_id is null and not exists (select from public.task_steps s where s.task_id = t.task_id
      and s.status not in ('done', 'skipped', 'failed', 'cancelled') offset 0) as nothing_left
  from public.tasks t
  left join (
    select distinct on (s.task_id) s.task_id, s.worker, s.node_id, s.agent, s.started_at as claimed_at, s.lease_expires_at as leased_until
    from public.task_steps s where s.lease_expires_at is not null order by s.task_id, s.started_at
  ) r using (task_id)
  left join (
    select distinct on (q.task_id) q.task_id, q.code, q.status from public.approval_requests q where q.status in ('open', 'approved')
    order by q.task_id, q.requested_at desc
  ) q using (task_id)
  left join (select distinct e.task_id from public.effects e where e.status = 'unknown') u using (task_id)
  left join (select w.task_id, min(w.tool) as tool from public.fallback_queue w where w.drained_at is null group by w.task_id) w using (task_id);
comment on view command_center.signals is 'Each task with the explicit signals that its lane follows from: who has it, since when, what it waits for. No lane is stored.';

create view command_center.step_figures with (security_invoker = true) as
  select s.task_id, count(*) as steps, count(*) filter (where s.status in ('done', 'skipped')) as steps_done,
    array_agg(distinct s.agent order by s.agent) filter (where s.status in ('ready', 'running', 'awaiting_approval')) as next_agents,
    greatest(max(s.started_at), max(s.ended_at), max(s.created_at)) as last_activity_at
  from public.task_steps s group by s.task_id;
comment on view command_center.step_figures is 'How far the steps of a task are, which agents come next and when anything last happened to it.';

create view command_center.requests with (security_invoker = true) as
  select q.request_id, q.code, q.status, q.kind, q.task_id, q.tier, q.action, t.goal, t.actor as requester, q.digest,
    (select coalesce(jsonb_agg(jsonb_build_object('slot', w.slot, 'roles', coalesce(p.body -> 'roles' -> w.slot, '[]')) order by w.place), '[]')
      from unnest(q.required_slots) with ordinality w (slot, place) left join public.policies p on p.status = 'active') as slots,
    q.bound_to, q.requested_at, q.expires_at, q.closed_at,
    (select coalesce(jsonb_agg(jsonb_build_object('name', a.approver, 'role', a.role, 'decision', a.decision, 'at', a.ts, 'reason', a.reason,
        'digest', a.digest) order by a.ts), '[]') from public.approvals a where a.request_id = q.request_id) as decided,
    case when exists (select 1 from public.emergency_stops x where x.state <> 'running' and (x.scope = 'all' or (x.scope = 't3' and q.tier = 'T3')))
        then 'an emergency stop holds it'
      when q.tier = 'T3' and not coalesce((select f.enabled from public.feature_flags f where f.key = 't3_execution_enabled'), false)
        then 'T3 effects are switched off' end as blocker
  from public.approval_requests q join public.tasks t using (task_id);
comment on view command_center.requests is 'What people are asked, who has answered, and what would hold the effect back even after a yes.';

create view command_center.jobs with (security_invoker = true) as
  select 'job:' || j.job_name as id, j.job_name as name, j.every_seconds, j.enabled, j.last_run_at, j.last_status,
    case when j.last_status = 'ok' then j.last_run_at end as last_success_at, j.next_run_at, j.last_error, null::text as paused_by,
    null::text as paused_reason, (select max(r.last_run_at) from public.jobs r) as swept_at
  from public.jobs j;
comment on view command_center.jobs is 'The platform''s own schedule and its last runs; swept_at is when anything of it last ran.';

create view command_center.alerts with (security_invoker = true) as
  select a.alert_id, a.code, a.severity, a.subject, a.value, a.threshold, a.task_id, a.opened_at, a.seen, a.last_seen_at, a.acknowledged_by
  from public.alerts a where a.closed_at is null;
comment on view command_center.alerts is 'What rings and was not closed.';

create view command_center.stops with (security_invoker = true) as
  select s.scope, coalesce(e.state, 'unknown') as state, e.changed_at, e.changed_by, e.reason
  from (values ('all'), ('t3')) s (scope) left join public.emergency_stops e using (scope);
comment on view command_center.stops is 'The emergency stops. A row that is missing stops what it is about, and is shown as not known.';

create view command_center.kpi_by_hour with (security_invoker = true) as
  with hours as (
    select h as hour, h + interval '1 hour' as until
    from generate_series(date_trunc('hour', now()) - interval '47 hours', date_trunc('hour', now()), interval '1 hour') h
  ), series (kpi, subject, at, value) as (
    select k.kpi, l.tier, l.hour, case k.kpi when 'latency_p50' then l.p50 else l.p95 end
    from (values ('latency_p50'), ('latency_p95')) k (kpi) cross join (
      select date_trunc('hour', t.archived_at) as hour, t.risk_tier as tier,
        percentile_cont(0.5) within group (order by extract(epoch from t.archived_at - t.created_at)) as p50,
        percentile_cont(0.95) within group (order by extract(epoch from t.archived_at - t.created_at)) as p95
      from public.tasks t where t.archived_at >= (select min(hour) from hours) group by 1, 2) l
    union all
    select 'duplicate_rate', 'deliveries', date_trunc('hour', r.received_at), avg(case when r.outcome = 'duplicate' then 1.0 else 0.0 end)
    from public.event_receipts r where r.outcome <> 'refused' and r.received_at >= (select min(hour) from hours) group by 3
    union all
    select 'critic_pass', 'all', date_trunc('hour', v.created_at), avg(case when v.verdict = 'pass' then 1.0 else 0.0 end)
    from public.evaluations v where v.step_id is not null and v.created_at >= (select min(hour) from hours) group by 3
    union all
    select 'approval_wait_mean', d.tier, date_trunc('hour', d.decided_at), avg(extract(epoch from d.decided_at - d.requested_at))
    from (select q.tier, q.requested_at, max(a.ts) as decided_at from public.approval_requests q join public.approvals a using (request_id)
      where q.status in ('approved', 'consumed', 'rejected') and a.ts >= (select min(hour) from hours) group by q.request_id) d
    group by 2, 3
  ), subjects (kpi, subject, unit) as (
    select k.kpi, t.tier, 's' from (values ('latency_p50'), ('latency_p95')) k (kpi) cross join (values ('T0'), ('T1'), ('T2'), ('T3')) t (tier)
    union all values ('duplicate_rate', 'deliveries', 'ratio'), ('critic_pass', 'all', 'ratio'),
      ('approval_wait_mean', 'T2', 's'), ('approval_wait_mean', 'T3', 's')
  )
  select s.kpi, s.subject, s.unit, h.hour, v.value
  from subjects s cross join hours h left join series v on v.kpi = s.kpi and v.subject = s.subject and v.at = h.hour;
comment on view command_center.kpi_by_hour is 'Figures of the last 48 hours by the hour; an hour without a sample has no value, which is not zero. The targets are those of kpi_current.';

-- Asked before anything is served: whoever could write, or call a command, does not look.
create view command_center.privileges with (security_invoker = true) as
  select current_user::text as role,
    (select r.rolsuper or r.rolbypassrls from pg_catalog.pg_roles r where r.rolname = current_user) as beyond_policies,
    (select coalesce(array_agg(n.nspname || '.' || c.relname order by c.relname), '{}')
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname !~ '^(pg_|information_schema)' and c.relkind in ('r', 'p', 'v', 'm', 'f')
        and (pg_catalog.has_table_privilege(current_user, c.oid, 'insert, update, delete, truncate')
          or pg_catalog.has_any_column_privilege(current_user, c.oid, 'insert, update'))) as writable,
    (select coalesce(array_agg(p.proname::text order by p.proname), '{}') from pg_catalog.pg_proc p
      where p.pronamespace = 'api'::regnamespace and pg_catalog.has_function_privilege(current_user, p.oid, 'execute')) as commands,
    current_setting('transaction_read_only') = 'on' as read_only;
comment on view command_center.privileges is 'What whoever asks could change: the list of what is writable must be empty, and the commands are the two that only tell.';

grant select on all tables in schema command_center to command_center;
