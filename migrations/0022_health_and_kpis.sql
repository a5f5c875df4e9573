-- The promise of this file: what is shown was measured; where nothing was measured it says unknown.

create view public.kpi_current with (security_invoker = true) as
with windows (window_name, since) as (
  select w.name, now() - w.span from (values ('1 h', interval '1 hour'), ('24 h', interval '24 hours'), ('30 d', interval '30 days')) w(name, span)
), latencies as (
  select w.window_name, t.risk_tier as tier, extract(epoch from t.archived_at - t.created_at) as seconds
  from windows w join public.tasks t on t.archived_at >= w.since
), figures (window_name, kpi, subject, value, unit, samples, target, comparison) as (
  select w.window_name, k.kpi, tier.tier, case k.kpi
      when 'latency_p50' then percentile_cont(0.5) within group (order by l.seconds)
      else percentile_cont(0.95) within group (order by l.seconds) end,
    's', count(l.seconds), case when k.kpi = 'latency_p50' then case when tier.tier in ('T0', 'T1') then 8 when tier.tier = 'T2' then 45 end end, '<='
  from windows w cross join (values ('T0'), ('T1'), ('T2'), ('T3')) tier(tier) cross join (values ('latency_p50'), ('latency_p95')) k(kpi)
  left join latencies l on l.window_name = w.window_name and l.tier = tier.tier
  group by w.window_name, k.kpi, tier.tier
  union all
  select w.window_name, 'success_rate', 'all', avg(case when t.status = 'archived' then 1.0 else 0.0 end) filter (where t.task_id is not null), 'ratio', count(t.task_id), 0.99, '>='
  from windows w left join public.tasks t on t.ended_at >= w.since and t.status in ('archived', 'failed', 'rolled_back') group by w.window_name
  union all
  select w.window_name, 'duplicate_rate', 'deliveries', avg(case when r.outcome = 'duplicate' then 1.0 else 0.0 end) filter (where r.receipt_id is not null), 'ratio', count(r.receipt_id), null, '<='
  from windows w left join public.event_receipts r on r.received_at >= w.since and r.outcome <> 'refused' group by w.window_name
  union all
  select w.window_name, 'duplicate_execution_rate', 'effects', case when count(e.effect_id) > 0
      then 1 - count(distinct e.idempotency_key)::numeric / count(e.effect_id) end, 'ratio', count(e.effect_id), 0.003, '<='
  from windows w left join public.effects e on e.reserved_at >= w.since group by w.window_name
  union all
  select w.window_name, 'critic_pass', 'all', avg(case when v.verdict = 'pass' then 1.0 else 0.0 end) filter (where v.evaluation_id is not null), 'ratio', count(v.evaluation_id), 0.95, '>='
  from windows w left join public.evaluations v on v.created_at >= w.since and v.step_id is not null group by w.window_name
  union all
  select w.window_name, 'critic_score', 'all', avg(v.score), 'ratio', count(v.evaluation_id), null, '>='
  from windows w left join public.evaluations v on v.created_at >= w.since and v.step_id is not null group by w.window_name
  union all
  select w.window_name, 'approval_wait_mean', tier.tier, avg(extract(epoch from d.decided_at - d.requested_at)), 's', count(d.decided_at),
    case when tier.tier = 'T3' then 300 end, '<='
  from windows w cross join (values ('T2'), ('T3')) tier(tier) left join (
    select q.tier, q.requested_at, max(a.ts) as decided_at from public.approval_requests q join public.approvals a using (request_id)
    where q.status in ('approved', 'consumed', 'rejected') group by q.request_id
  ) d on d.tier = tier.tier and d.decided_at >= w.since group by w.window_name, tier.tier
  union all
  select w.window_name, 'agent_error_rate', g.agent_class, case when sum(s.attempt) > 0 then sum(s.failures)::numeric / sum(s.attempt) end, 'ratio', coalesce(sum(s.attempt), 0), null, '<='
  from windows w cross join public.agents g left join public.task_steps s on s.agent_class = g.agent_class and s.started_at >= w.since
  group by w.window_name, g.agent_class
  union all
  -- No model is asked unless one is configured; its calls do not report tokens yet.
  select w.window_name, 'token_usage', 'all', null, 'tokens', 0, null, '<=' from windows w
)
select f.window_name as "window", f.kpi, f.subject, round(f.value::numeric, 6) as value, f.unit, f.samples, f.target,
  case when f.samples = 0 or f.value is null then 'unknown' when f.target is null then 'no_target'
    when (f.comparison = '<=' and f.value <= f.target) or (f.comparison = '>=' and f.value >= f.target) then 'met' else 'missed' end as status,
  now() as observed_at
from figures f;
comment on view public.kpi_current is 'Latency, success, duplicates, critic and approval figures over 1 h, 24 h and 30 d; unknown where there is no sample. success_rate is archived / (archived + failed, undone since or not): a rejected or cancelled task was a decision, no failure, and is not counted.';
revoke all on public.kpi_current from public, anon, authenticated, service_role;
grant select on public.kpi_current to auditor, authenticated;

create function api.kpis() returns jsonb
language sql stable security definer set search_path = ''
as $$ select coalesce(jsonb_agg(to_jsonb(k) order by k.window, k.kpi, k.subject), '[]') from public.kpi_current k $$;
comment on function api.kpis() is 'The rows of kpi_current.';
revoke all on function api.kpis() from public;
grant execute on function api.kpis() to service_role;

create function api.health(p_observed jsonb default '{}') returns jsonb
language sql volatile security definer set search_path = ''
as $$
  select jsonb_build_object(
    'observed_at', private.iso(private.now()),
    'database_now', private.iso(private.now()),
    'policy_sha256', private.active_policy_sha256(),
    'tables', (select jsonb_object_agg(c.table_name, c.rows) from (
      select 'tasks' as table_name, count(*) as rows from public.tasks union all select 'task_steps', count(*) from public.task_steps
      union all select 'approval_requests', count(*) from public.approval_requests union all select 'approvals', count(*) from public.approvals
      union all select 'artifacts', count(*) from public.artifacts union all select 'events', count(*) from public.events
      union all select 'event_receipts', count(*) from public.event_receipts union all select 'effects', count(*) from public.effects
      union all select 'audit_logs', count(*) from public.audit_logs union all select 'embeddings', count(*) from public.embeddings
      union all select 'one_drive_assets', count(*) from public.one_drive_assets) c),
    'open', jsonb_build_object(
      'steps_ready', (select count(*) from public.task_steps s where s.status = 'ready'),
      'oldest_ready_at', (select private.iso(min(s.run_at)) from public.task_steps s where s.status = 'ready'),
      'steps_running', (select count(*) from public.task_steps s where s.status = 'running'),
      'leases_lost', (select count(*) from public.task_steps s where s.status = 'running' and s.lease_expires_at < private.now()),
      'requests_open', (select count(*) from public.approval_requests r where r.status = 'open'),
      'notifications_queued', (select count(*) from public.notifications n where n.status = 'queued'),
      'effects_unknown', (select count(*) from public.effects e where e.status = 'unknown')),
    'mirror', jsonb_build_object(
      'assets', (select count(*) from public.one_drive_assets a where a.object_key ilike 'dags/%'),
      'sample', (select to_jsonb(a) from public.one_drive_assets a where a.object_key ilike 'dags/%' order by a.object_key limit 1),
      'synced_at', (select private.iso(max(a.synced_at)) from public.one_drive_assets a where a.object_key ilike 'dags/%'),
      'any_assets', (select count(*) from public.one_drive_assets)),
    'members', jsonb_build_object(
      'active', (select count(*) from public.members m where m.status = 'active'),
      'unreachable', (select coalesce(jsonb_agg(jsonb_build_object('name', m.name, 'since', private.iso(m.unreachable_since), 'reason', m.unreachable_reason)), '[]')
        from public.members m where m.status = 'active' and m.unreachable_since is not null)),
    'jobs', (select jsonb_agg(jsonb_build_object('job_name', j.job_name, 'last_run_at', private.iso(j.last_run_at), 'last_status', j.last_status,
      'next_run_at', private.iso(j.next_run_at), 'last_error', j.last_error) order by j.job_name) from public.jobs j)
  )
$$;
comment on function api.health(jsonb) is 'What the database knows of its own state; the caller adds its clock and its bundled policy.';
revoke all on function api.health(jsonb) from public;
grant execute on function api.health(jsonb) to service_role;

-- Asked at boot by the running role itself: whoever can write a table directly is not served.
create function api.runtime_identity() returns jsonb
language sql stable security invoker set search_path = ''
as $$
  select jsonb_build_object('role', current_user, 'superuser', (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user),
    'writable_tables', (select coalesce(jsonb_agg(n.nspname || '.' || c.relname order by c.relname), '[]')
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'private') and c.relkind in ('r', 'p', 'v')
        and (pg_catalog.has_table_privilege(current_user, c.oid, 'insert') or pg_catalog.has_table_privilege(current_user, c.oid, 'update')
          or pg_catalog.has_table_privilege(current_user, c.oid, 'delete') or pg_catalog.has_table_privilege(current_user, c.oid, 'truncate')
          or c.relowner = (select r.oid from pg_catalog.pg_roles r where r.rolname = current_user))))
$$;
comment on function api.runtime_identity() is 'The running role and the tables it could write directly; the list must be empty.';
revoke all on function api.runtime_identity() from public;
grant execute on function api.runtime_identity() to service_role;
