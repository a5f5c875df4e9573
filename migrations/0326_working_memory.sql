-- The promise of this file: what a task keeps at hand lives for one to two days and is then gone; what is lost is made anew
-- from what is on record. Refuses: invalid_request, not_found.

create table public.working_memory (
  key text primary key check (key ~ '^[a-z0-9][A-Za-z0-9:._-]{0,199}$'),
  task_id text references public.tasks (task_id),
  value jsonb not null check (octet_length(value::text) <= 262144),
  written_at timestamptz not null default private.now(),
  expires_at timestamptz not null,
  written_by text not null,
  constraint kept_between_24_and_48_hours check (expires_at between written_at + interval '24 hours' and written_at + interval '48 hours')
);
comment on table public.working_memory is
  'Short-term memory: what a task keeps at hand between its steps. A key that lives keeps its value; everything here can be made anew from the other tables.';
comment on column public.working_memory.task_id is 'Whose working set it is; null is an orphan.';
create index working_memory_by_task on public.working_memory (task_id);
create index working_memory_by_expiry on public.working_memory (expires_at);

create function private.memory_json(p_memory public.working_memory) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('key', p_memory.key, 'task_id', p_memory.task_id, 'value', p_memory.value, 'expires_at', private.iso(p_memory.expires_at),
    'expires_in_ms', greatest(floor(extract(epoch from p_memory.expires_at - private.now()) * 1000)::bigint, 0))
$$;

-- A key that lives keeps its value: two workers that make the same thing end with one of it, and a copy elsewhere cannot
-- be out of date.
create function api.remember(p_key text, p_task_id text, p_value jsonb, p_hours numeric, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_memory public.working_memory;
begin
  if coalesce(p_key, '') !~ '^[a-z0-9][A-Za-z0-9:._-]{0,199}$' or p_value is null or octet_length(p_value::text) > 262144
    or not exists (select 1 from public.tasks t where t.task_id = p_task_id) then
    return private.refuse('invalid_request', p_actor, 'memory.remember', 'memory:' || coalesce(left(p_key, 100), '?'), null,
      'A memory has a key, a value of at most 256 KiB and the task that it belongs to.');
  end if;
  insert into public.working_memory as m (key, task_id, value, written_at, expires_at, written_by)
  values (p_key, p_task_id, p_value, v_now, v_now + make_interval(secs => 3600 * least(greatest(coalesce(p_hours, 24), 24), 48)::double precision),
    coalesce(nullif(left(p_actor, 200), ''), 'worker'))
  on conflict (key) do update set task_id = excluded.task_id, value = excluded.value, written_at = excluded.written_at,
    expires_at = excluded.expires_at, written_by = excluded.written_by where m.expires_at <= v_now
  returning * into v_memory;
  if v_memory.key is null then
    select m.* into v_memory from public.working_memory m where m.key = p_key;
    return private.memory_json(v_memory) || jsonb_build_object('kept', false);
  end if;
  return private.memory_json(v_memory) || jsonb_build_object('kept', true);
end
$$;
comment on function api.remember(text, text, jsonb, numeric, text) is
  'Keeps a value for a task, for 24 to 48 hours whatever is asked for. A key that lives keeps its value, which is the answer then (kept: false). Refuses invalid_request.';
revoke all on function api.remember(text, text, jsonb, numeric, text) from public;
grant execute on function api.remember(text, text, jsonb, numeric, text) to service_role;

create function api.recall(p_key text) returns jsonb
language sql stable security definer set search_path = ''
as $$ select private.memory_json(m) from public.working_memory m where m.key = p_key and m.expires_at > private.now() $$;
comment on function api.recall(text) is 'What is kept under a key, or null: an expired one is not readable, purged or not.';
revoke all on function api.recall(text) from public;
grant execute on function api.recall(text) to service_role;

create function api.forget(p_key text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_memory public.working_memory;
begin
  delete from public.working_memory m where m.key = p_key returning * into v_memory;
  if v_memory.key is not null then
    insert into public.audit_logs (actor, action, object, task_id) values (coalesce(nullif(left(p_actor, 200), ''), 'worker'), 'memory.forget', 'memory:' || p_key, v_memory.task_id);
  end if;
  return jsonb_build_object('key', p_key, 'forgotten', v_memory.key is not null);
end
$$;
comment on function api.forget(text, text) is 'Removes a key before its time, and says whether there was one.';
revoke all on function api.forget(text, text) from public;
grant execute on function api.forget(text, text) to service_role, administrator;

create function private.purge_working_memory() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_expired integer;
  v_orphans integer;
begin
  delete from public.working_memory m where m.expires_at <= private.now();
  get diagnostics v_expired = row_count;
  delete from public.working_memory m where m.task_id is null
    or exists (select 1 from public.tasks t where t.task_id = m.task_id and t.ended_at is not null);
  get diagnostics v_orphans = row_count;
  if v_expired + v_orphans > 0 then
    insert into public.audit_logs (actor, action, object, after_json) values ('clock', 'memory.purge', 'job:purge_working_memory',
      jsonb_build_object('expired', v_expired, 'orphans', v_orphans));
  end if;
  return v_expired + v_orphans;
end
$$;
comment on function private.purge_working_memory() is 'The hourly job: expired keys leave, and those that no open task owns.';
insert into public.jobs (job_name, every_seconds) values ('purge_working_memory', 3600);

create view public.working_memory_hygiene with (security_invoker = true) as
select m.key, m.task_id, m.written_at, m.expires_at, octet_length(m.value::text) as bytes,
  case when m.expires_at <= now() then 'expired' when m.task_id is null then 'orphan: no task'
    when t.ended_at is not null then 'orphan: its task has ended' else 'in use' end as finding
from public.working_memory m left join public.tasks t using (task_id);
comment on view public.working_memory_hygiene is 'Each key of the short-term memory: in use, expired and not yet purged, or an orphan that no open task owns.';
revoke all on public.working_memory_hygiene from public, anon, authenticated, service_role;
grant select on public.working_memory_hygiene to auditor, authenticated;

-- A cache is no record: an audit row for every value would keep for ever what is to be gone in two days.
select private.close_table('public.working_memory');
select private.allow_members('public.working_memory', 'owner', 'operator', 'reviewer');
