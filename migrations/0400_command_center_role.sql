-- The promise of this file: who looks at the platform's pages reads what they show and nothing else, and can write nowhere.
-- Refuses: nothing.

do $roles$
begin
  if not exists (select 1 from pg_catalog.pg_roles where rolname = 'command_center') then
    create role command_center nologin noinherit;
  end if;
  begin
    execute pg_catalog.format('grant command_center to %I', current_user);
  exception when insufficient_privilege then
    raise notice 'ask the login that made the role to run: grant command_center to %', current_user;
  end;
end
$roles$;

create schema command_center;
comment on schema command_center is 'What the pages of the operators are computed from: views that run as whoever asks. It has no table, so there is no second truth.';
revoke all on schema command_center from public;
grant usage on schema public, api, command_center to command_center;

-- Columns by name: what an artifact says, what a message carries, a lease's token and a request's nonce are no page's business.
create function private.show_to_command_center(p_table regclass, variadic p_columns text[]) returns void
language plpgsql set search_path = ''
as $$
begin
  execute format('grant select (%s) on %s to command_center',
    (select string_agg(format('%I', c), ', ') from unnest(p_columns) c), p_table);
  execute format('create policy "the command center reads" on %s for select to command_center using (true)', p_table);
end
$$;
comment on function private.show_to_command_center(regclass, text[]) is 'Lets the command center read these columns, and no other.';

select private.show_to_command_center('public.tasks', 'task_id', 'status', 'created_at', 'actor', 'goal', 'risk_tier', 'tenant_id',
  'action', 'source', 'flow', 'policy_sha256', 'reason', 'parent_task_id', 'ended_at', 'archived_at');
select private.show_to_command_center('public.task_steps', 'step_id', 'task_id', 'node_id', 'status', 'agent', 'agent_class', 'action',
  'tier', 'after', 'waits_for', 'pending_parents', 'is_effect', 'output_ref', 'quality_score', 'attempt', 'failures', 'run_at', 'worker',
  'lease_expires_at', 'last_code', 'last_error', 'created_at', 'started_at', 'ended_at');
select private.show_to_command_center('public.artifacts', 'artifact_id', 'task_id', 'step_id', 'type', 'storage_ref', 'checksum',
  'created_at', 'agent', 'media_type');
select private.show_to_command_center('public.evaluations', 'evaluation_id', 'seq', 'task_id', 'step_id', 'artifact_id', 'artifact_checksum',
  'critic', 'author', 'rubric', 'rubric_sha256', 'total', 'score', 'threshold', 'verdict', 'red_flags', 'created_at');
select private.show_to_command_center('public.approval_requests', 'request_id', 'code', 'status', 'kind', 'subject_id', 'task_id', 'step_id',
  'tier', 'action', 'required_slots', 'digest', 'bound_to', 'requested_at', 'expires_at', 'closed_at');
select private.show_to_command_center('public.approvals', 'approval_id', 'task_id', 'step_id', 'tier', 'approver', 'decision', 'reason', 'ts',
  'request_id', 'member_id', 'person_id', 'role', 'digest');
select private.show_to_command_center('public.effects', 'effect_id', 'seq', 'status', 'task_id', 'step_id', 'request_id', 'kind', 'channel',
  'idempotency_key', 'digest', 'attempt', 'reserved_at', 'sent_at', 'confirmed_at', 'last_error');
select private.show_to_command_center('public.events', 'event_id', 'seq', 'task_id', 'incident_id', 'type', 'idempotency_key', 'ts', 'agent',
  'schema_version');
select private.show_to_command_center('public.audit_logs', 'id', 'ts', 'actor', 'action', 'object', 'task_id', 'outcome', 'code');
select private.show_to_command_center('public.event_receipts', 'receipt_id', 'received_at', 'outcome', 'code', 'source', 'source_name', 'task_id');
select private.show_to_command_center('public.jobs', 'job_name', 'every_seconds', 'enabled', 'next_run_at', 'last_run_at', 'last_status',
  'last_error');
select private.show_to_command_center('public.event_consumers', 'consumer', 'paused', 'paused_by', 'paused_at', 'pause_reason');
select private.show_to_command_center('public.alerts', 'alert_id', 'code', 'severity', 'subject', 'value', 'threshold', 'task_id', 'opened_at',
  'seen', 'last_seen_at', 'acknowledged_by', 'acknowledged_at', 'closed_at');
select private.show_to_command_center('public.emergency_stops', 'scope', 'state', 'changed_at', 'changed_by', 'reason');
select private.show_to_command_center('public.feature_flags', 'key', 'enabled', 'updated_by', 'updated_at', 'reason');
select private.show_to_command_center('public.agents', 'agent_class', 'agent', 'enabled', 'updated_at');
select private.show_to_command_center('public.policies', 'policy_sha256', 'version', 'status', 'body', 'activated_at',
  'activated_by');
select private.show_to_command_center('public.fallback_queue', 'item_id', 'tool', 'what', 'step_id', 'task_id', 'since', 'drained_at', 'outcome');

grant select on public.kpi_current to command_center;

-- What a real pg_cron keeps is shown to the owner of a job alone, and where there is no pg_cron there is nothing to name.
create function api.scheduled_by_cron() returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_jobs jsonb;
begin
  if to_regclass('cron.job') is null or to_regclass('cron.job_run_details') is null then
    return null;
  end if;
  execute $query$
    select coalesce(jsonb_agg(jsonb_build_object('id', j.jobid, 'name', coalesce(j.jobname, 'job ' || j.jobid), 'schedule', j.schedule,
      'active', j.active, 'last_run_at', r.start_time, 'last_status', r.status, 'last_success_at', s.start_time,
      'last_error', case when r.status = 'failed' then left(r.return_message, 200) end) order by j.jobid), '[]')
    from cron.job j
    left join lateral (select d.start_time, d.status, d.return_message from cron.job_run_details d where d.jobid = j.jobid
      and d.status in ('succeeded', 'failed') order by d.runid desc limit 1) r on true
    left join lateral (select d.start_time from cron.job_run_details d where d.jobid = j.jobid and d.status = 'succeeded'
      order by d.runid desc limit 1) s on true
  $query$ into v_jobs;
  return v_jobs;
end
$$;
comment on function api.scheduled_by_cron() is 'The jobs of pg_cron that belong to the owner of this schema, with their last runs; null where pg_cron is not installed.';
revoke all on function api.scheduled_by_cron() from public;
grant execute on function api.scheduled_by_cron() to command_center;

create function api.read_at() returns jsonb
language sql volatile security definer set search_path = ''
as $$
  -- A replica that no longer follows says so by the time of what it replayed last.
  select jsonb_build_object('observed_at', private.iso(case when pg_catalog.pg_is_in_recovery()
    then pg_catalog.pg_last_xact_replay_timestamp() else private.now() end),
    'server', pg_catalog.current_setting('server_version'), 'database', pg_catalog.current_database())
$$;
comment on function api.read_at() is 'The database''s own time for what is read beside it, so that a clock or a replica that is behind shows.';
revoke all on function api.read_at() from public;
grant execute on function api.read_at() to command_center;
