-- The promise of this file: what must happen by the clock happens from one table of jobs, whoever ticks, and
-- raw data older than the policy says leaves through one named function.

create table public.jobs (
  job_name text primary key,
  every_seconds integer not null check (every_seconds > 0),
  enabled boolean not null default true,
  next_run_at timestamptz not null default private.now(),
  last_run_at timestamptz,
  last_status text,
  last_error text,
  constraint job_status_is_known check (last_status in ('ok', 'error')),
  constraint ran_exactly_when_stamped check ((last_run_at is null) = (last_status is null))
);
comment on table public.jobs is 'The schedule: what runs how often, when it ran last and how it ended.';
insert into public.jobs (job_name, every_seconds) values ('reap_leases', 5), ('expire_requests', 5), ('prune_history', 86400);

create function private.prune_history() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_before timestamptz := private.now() - make_interval(days => private.policy_number(90, 'windows', 'raw_days')::integer);
  v_count integer;
  v_total integer := 0;
begin
  -- Raw deliveries only. Events, approvals and audit rows stay: they are the audit of T2 and T3.
  delete from public.event_receipts r where r.received_at < v_before;
  get diagnostics v_total = row_count;
  delete from public.telegram_updates u where u.received_at < v_before;
  get diagnostics v_count = row_count;
  delete from private.rate_buckets b where b.refilled_at < private.now() - interval '1 day';
  insert into public.audit_logs (actor, action, object, after_json) values ('clock', 'history.prune', 'job:prune_history',
    jsonb_build_object('before', private.iso(v_before), 'event_receipts', v_total, 'telegram_updates', v_count));
  return v_total + v_count;
end
$$;
comment on function private.prune_history() is 'The retention job: raw deliveries leave after the policy''s windows.raw_days. The only function whose deletes the history guards let pass.';

create function private.run_job(p_job_name text) returns integer
language plpgsql set search_path = ''
as $$
begin
  return case p_job_name
    when 'reap_leases' then private.reap_leases()
    when 'expire_requests' then private.expire_requests()
    when 'prune_history' then private.prune_history()
  end;
end
$$;

create function api.sweep() returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_job record;
  v_results jsonb := '{}';
  v_status text;
  v_error text;
  v_count integer;
begin
  for v_job in
    select j.job_name, j.every_seconds from public.jobs j where j.enabled and j.next_run_at <= private.now()
    order by j.job_name for update skip locked
  loop
    v_status := 'ok';
    v_error := null;
    -- One job's failure must not stop the others; it shows in the table and in health.
    begin
      v_count := private.run_job(v_job.job_name);
      v_results := v_results || jsonb_build_object(v_job.job_name, v_count);
    exception when others then
      v_status := 'error';
      v_error := left(sqlerrm, 500);
    end;
    update public.jobs j set last_run_at = private.now(), last_status = v_status, last_error = v_error,
      next_run_at = private.now() + make_interval(secs => v_job.every_seconds) where j.job_name = v_job.job_name;
  end loop;
  return v_results;
end
$$;
comment on function api.sweep() is 'Runs the jobs that are due: lost leases, expired requests, retention. Safe from anywhere at any time.';
revoke all on function api.sweep() from public;
grant execute on function api.sweep() to service_role;

select private.close_table('public.jobs');
select private.allow_members('public.jobs', 'owner', 'operator', 'reviewer');
