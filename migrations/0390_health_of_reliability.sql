-- The promise of this file: health says which tools are left alone, what waits for them, who is paused and whether anybody
-- works; and asking for it costs the same on a database that has grown. Refuses: nothing.

-- Counting a history of millions row by row took longer than the platform gives a request. Up to a hundred thousand it is
-- counted, beyond that it is what the last ANALYZE saw.
create function private.row_count(p_table regclass) returns bigint
language plpgsql stable set search_path = ''
as $$
declare
  v_rows bigint;
begin
  select sum(c.reltuples)::bigint into v_rows from pg_catalog.pg_class c
  where c.oid = p_table or c.oid in (select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = p_table);
  if v_rows <= 100000 then
    execute format('select count(*) from %s', p_table) into v_rows;
  end if;
  return v_rows;
end
$$;
comment on function private.row_count(regclass) is 'How many rows a table has: counted up to a hundred thousand, beyond that as the last ANALYZE saw it.';

create function private.health_of_reliability() returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object(
    'breakers', (select coalesce(jsonb_agg(jsonb_build_object('tool', b.tool, 'state', b.state, 'since', private.iso(b.first_opened_at)) order by b.tool), '[]')
      from public.circuit_breakers b where b.state <> 'closed'),
    'waiting_for_tools', (select count(*) from public.fallback_queue q where q.drained_at is null),
    'dead_letters', (select count(*) from public.dead_letters d where d.resolved_at is null),
    'paused', (select coalesce(jsonb_agg(jsonb_build_object('consumer', c.consumer, 'by', c.paused_by, 'reason', c.pause_reason,
      'since', private.iso(c.paused_at)) order by c.consumer), '[]') from public.event_consumers c where c.paused),
    -- A worker that beat within three of its own intervals. None at all is no fault where a schedule ticks instead.
    'workers', (select count(distinct h.worker) from public.agent_heartbeats h
      where h.beat_at > private.now() - make_interval(secs => 3 * h.interval_seconds)),
    'last_beat_at', (select private.iso(max(h.beat_at)) from public.agent_heartbeats h),
    'failing', (select coalesce(jsonb_agg(jsonb_build_object('worker', h.worker, 'agent_class', h.agent_class, 'failure_mode', h.failure_mode)
      order by h.worker, h.agent_class), '[]') from public.agent_heartbeats h
      where h.status in ('degraded', 'rate_limited') and h.beat_at > private.now() - make_interval(secs => 3 * h.interval_seconds)),
    'stray_rows', (select count(*) from (select 1 from private.event_receipts_rest limit 1000) r))
$$;
comment on function private.health_of_reliability() is 'Open breakers, what waits for them, dead letters, paused consumers, and who has said lately that it works.';

-- Not compiled: beside a query of a few milliseconds that takes seconds, and with the history the estimates reach its threshold.
create or replace function api.health(p_observed jsonb default '{}') returns jsonb
language sql volatile security definer set search_path = '' set jit = off
as $$
  select jsonb_build_object(
    'observed_at', private.iso(private.now()),
    'database_now', private.iso(private.now()),
    'policy_sha256', private.active_policy_sha256(),
    'tables', (select jsonb_object_agg(t, private.row_count(('public.' || t)::regclass)) from unnest(array['tasks', 'task_steps', 'approval_requests',
      'approvals', 'artifacts', 'events', 'event_receipts', 'effects', 'audit_logs', 'embeddings', 'one_drive_assets']) t),
    'open', jsonb_build_object(
      'steps_ready', (select count(*) from private.ready_steps),
      'oldest_ready_at', (select private.iso(min(q.run_at)) from private.ready_steps q),
      'steps_running', (select count(*) from public.task_steps s where s.lease_expires_at is not null),
      'leases_lost', (select count(*) from public.task_steps s where s.lease_expires_at < private.now()),
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
      'effects_held', (select count(*) from public.tasks t where t.risk_tier = 'T3' and t.status = 'pending_exec')),
    'reliability', private.health_of_reliability()
  )
$$;
comment on function api.health(jsonb) is 'What the database knows of its own state, stops, alerts, breakers and workers included; the caller adds its clock and its bundled policy.';
