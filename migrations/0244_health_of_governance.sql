-- The promise of this file: whoever asks how the platform stands is told of a stop, of what rings and of what is held, and not
-- only whether its machinery turns. Refuses: nothing.

create or replace function api.health(p_observed jsonb default '{}') returns jsonb
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
      'next_run_at', private.iso(j.next_run_at), 'last_error', j.last_error) order by j.job_name) from public.jobs j),
    -- A row that is missing stops what it is about, and is shown as what it is: not known.
    'emergency', jsonb_build_object(
      'all', coalesce((select s.state from public.emergency_stops s where s.scope = 'all'), 'unknown'),
      't3', coalesce((select s.state from public.emergency_stops s where s.scope = 't3'), 'unknown'),
      't3_execution', case when private.flag_on('t3_execution_enabled') then 'on' else 'off' end,
      'critical_alerts', (select count(*) from public.alerts a where a.severity = 'critical' and a.closed_at is null),
      'pending_policy', (select count(*) from public.policies p where p.status in ('proposed', 'pending')),
      'overdue_secrets', (select count(*) from public.secret_rotations r where r.in_use and r.due_at <= private.now()),
      'effects_held', (select count(*) from public.tasks t where t.risk_tier = 'T3' and t.status = 'pending_exec'))
  )
$$;
comment on function api.health(jsonb) is 'What the database knows of its own state, stops and alerts included; the caller adds its clock and its bundled policy.';
