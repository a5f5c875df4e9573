-- The promise of this file: a job runs the private function that bears its name, and a consumer that a person paused takes
-- nothing. Refuses: nothing.

-- A list of names in a function had to be written anew for every job. Nobody but a migration writes public.jobs, and a name
-- that is no function of ours ends as the job's own error.
create or replace function private.run_job(p_job_name text) returns integer
language plpgsql set search_path = ''
as $$
declare
  v_count integer;
begin
  if not exists (select 1 from public.jobs j where j.job_name = p_job_name) then
    return null;
  end if;
  execute format('select private.%I()', p_job_name) into v_count;
  return v_count;
end
$$;
comment on function private.run_job(text) is 'Runs the job of this name: private.<name>(), which returns how many it touched. Null for a name that public.jobs does not have.';

-- One time for all jobs of a sweep. With each one's own, those of the same period drifted apart by their running times, and an
-- idle worker looked and swept for each by itself.
create or replace function api.sweep() returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_job record;
  v_results jsonb := '{}';
  v_status text;
  v_error text;
  v_count integer;
begin
  for v_job in
    select j.job_name, j.every_seconds from public.jobs j where j.enabled and j.next_run_at <= v_now
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
      next_run_at = v_now + make_interval(secs => v_job.every_seconds) where j.job_name = v_job.job_name;
  end loop;
  return v_results;
end
$$;

create table public.event_consumers (
  consumer text primary key check (consumer ~ '^[a-z][a-z0-9_-]{0,31}$'),
  paused boolean not null default false,
  paused_by text,
  paused_at timestamptz,
  pause_reason text check (length(pause_reason) between 1 and 500),
  constraint paused_exactly_when_somebody_did
    check (paused = (paused_by is not null) and paused = (paused_at is not null) and paused = (pause_reason is not null))
);
comment on table public.event_consumers is 'Who works on what is told: the platform''s own workers and the readers of the bus. A paused one is handed nothing until it is resumed.';
insert into public.event_consumers (consumer) values ('orchestrator'), ('communicator');

-- A consumer that nobody knows is not paused: whoever claims is checked by its own grant, not by this table.
create function private.consumer_is_paused(p_consumer text) returns boolean
language sql stable set search_path = ''
as $$ select coalesce((select c.paused from public.event_consumers c where c.consumer = p_consumer), false) $$;
comment on function private.consumer_is_paused(text) is 'Whether a person paused this consumer. Claims ask it before they look for work.';

select private.close_table('public.event_consumers');
select private.allow_members('public.event_consumers', 'owner', 'operator', 'reviewer');
select private.audit('public.event_consumers', 'consumer', 'consumer');
