-- The promise of this file: that an agent lives is a row with a time on it, written by the agent's own process. A row that has grown
-- old says so by its age; nothing here infers health from silence. Refuses: invalid_request.

create table public.agent_heartbeats (
  worker text not null check (length(worker) between 1 and 200),
  agent_class text not null check (agent_class ~ '^[a-z][a-z0-9_]{0,31}$'),
  status text not null,
  current_task_id text,
  current_step_id uuid,
  dependency text check (length(dependency) between 1 and 200),
  failure_mode text check (length(failure_mode) between 1 and 200),
  last_success_at timestamptz,
  started_at timestamptz not null,
  beat_at timestamptz not null,
  interval_seconds integer not null check (interval_seconds between 1 and 3600),
  primary key (worker, agent_class),
  constraint heartbeat_status_is_known check (status in ('idle', 'busy', 'degraded', 'rate_limited')),
  constraint busy_exactly_with_a_step check (status <> 'busy' or current_step_id is not null),
  constraint a_failure_mode_is_named_when_not_well check (status not in ('degraded', 'rate_limited') or failure_mode is not null)
) with (fillfactor = 50);
comment on table public.agent_heartbeats is
  'One row per worker and agent class, beaten every interval_seconds. Older than three intervals: the worker is gone or stuck. Measurements, not history: no audit row, kept for seven days.';
comment on column public.agent_heartbeats.dependency is 'What this agent needs from outside to work: a model, a bot, a bridge; null where it needs nobody.';
comment on column public.agent_heartbeats.failure_mode is 'The code of the last failure, while nothing has succeeded since.';
comment on column public.agent_heartbeats.last_success_at is 'When this agent last ended a step well in this process; null: not yet.';
create index agent_heartbeats_by_age on public.agent_heartbeats (beat_at);

create function private.beatable(p_beat jsonb) returns boolean
language sql immutable set search_path = ''
as $$
  select coalesce(jsonb_typeof(p_beat) = 'object' and p_beat ->> 'agent_class' ~ '^[a-z][a-z0-9_]{0,31}$'
    and p_beat ->> 'status' in ('idle', 'busy', 'degraded', 'rate_limited')
    and (p_beat ->> 'status' <> 'busy' or p_beat ->> 'current_step_id' is not null)
    and coalesce(p_beat ->> 'current_step_id', '00000000-0000-0000-0000-000000000000') ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    and (p_beat ->> 'status' not in ('degraded', 'rate_limited') or p_beat ->> 'failure_mode' is not null)
    and coalesce(length(p_beat ->> 'failure_mode'), 1) between 1 and 200 and coalesce(length(p_beat ->> 'dependency'), 1) between 1 and 200
    and jsonb_typeof(coalesce(p_beat -> 'succeeded', 'null')) in ('boolean', 'null')
    and case when coalesce(p_beat ->> 'interval_seconds', '10') ~ '^[1-9][0-9]{0,3}$'
      then coalesce(p_beat ->> 'interval_seconds', '10')::integer <= 3600 else false end, false)
$$;

-- The times are the database's. `succeeded` says that something ended well since the last beat; when is not asked of the worker's clock.
create function api.beat(p_worker text, p_beats jsonb) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_count integer;
begin
  if coalesce(length(p_worker), 0) not between 1 and 200 or jsonb_typeof(p_beats) is distinct from 'array' or jsonb_array_length(p_beats) > 100
    or exists (select 1 from jsonb_array_elements(p_beats) b where not private.beatable(b))
    or (select count(distinct b ->> 'agent_class') from jsonb_array_elements(p_beats) b) <> jsonb_array_length(p_beats) then
    return private.refuse('invalid_request', left(p_worker, 200), 'worker.beat', 'worker:' || coalesce(left(p_worker, 150), '?'), null,
      'A beat names each agent class once, with a known status.');
  end if;
  insert into public.agent_heartbeats as h (worker, agent_class, status, current_task_id, current_step_id, dependency, failure_mode,
    last_success_at, started_at, beat_at, interval_seconds)
  select p_worker, b.agent_class, b.status, b.current_task_id, b.current_step_id, b.dependency, b.failure_mode,
    case when b.succeeded then v_now end, v_now, v_now, coalesce(b.interval_seconds, 10)
  from jsonb_to_recordset(p_beats) as b(agent_class text, status text, current_task_id text, current_step_id uuid, dependency text,
    failure_mode text, succeeded boolean, interval_seconds integer)
  order by b.agent_class
  on conflict (worker, agent_class) do update set status = excluded.status, current_task_id = excluded.current_task_id,
    current_step_id = excluded.current_step_id, dependency = excluded.dependency, failure_mode = excluded.failure_mode,
    last_success_at = coalesce(excluded.last_success_at, h.last_success_at), beat_at = excluded.beat_at, interval_seconds = excluded.interval_seconds;
  get diagnostics v_count = row_count;
  return jsonb_build_object('beats', v_count);
end
$$;
comment on function api.beat(text, jsonb) is
  'A worker says of each of its agent classes how it is: agent_class, status, and where it applies current_task_id, current_step_id, dependency, failure_mode, succeeded, interval_seconds. Refuses invalid_request.';
revoke all on function api.beat(text, jsonb) from public;
grant execute on function api.beat(text, jsonb) to service_role;

create function private.prune_heartbeats() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_count integer;
begin
  delete from public.agent_heartbeats h where h.beat_at < private.now() - interval '7 days';
  get diagnostics v_count = row_count;
  insert into public.audit_logs (actor, action, object, after_json)
  values ('clock', 'heartbeats.prune', 'job:prune_heartbeats', jsonb_build_object('agent_heartbeats', v_count));
  return v_count;
end
$$;
comment on function private.prune_heartbeats() is 'The job of the same name: workers that nobody heard of for seven days leave the table.';
insert into public.jobs (job_name, every_seconds) values ('prune_heartbeats', 86400);

select private.close_table('public.agent_heartbeats');
select private.allow_members('public.agent_heartbeats', 'owner', 'operator', 'reviewer');
