-- The promise of this file: what can be claimed stands in a table of its own that is as small as the work that waits, and it
-- is exactly the steps that are ready. Refuses: nothing; whoever changes a step changes it.

-- A claim that looks for ready rows in the table of all steps pays for what is in flight, for what is planned for later, and
-- under a long transaction for every version that cannot be removed yet. Here a row comes when its step becomes ready and goes
-- when it no longer is; it is never updated, and its key is the order of the claims.
create table private.ready_steps (
  agent_class text not null,
  run_at timestamptz not null,
  step_id uuid not null,
  primary key (agent_class, run_at, step_id)
)
with (
  -- Every row dies within seconds of its birth: vacuum comes often, and does not rest while it works.
  autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_insert_threshold = -1,
  autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.5
);
comment on table private.ready_steps is
  'The steps that are ready, in the order in which they are claimed. Kept by a trigger of public.task_steps, written by nothing else.';
revoke all on private.ready_steps from public;

-- Statistics of a queue are always of another moment, so the plans are told: by the key, one row after the other.
create function private.keep_ready_steps() returns trigger
language plpgsql set search_path = '' set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_nestloop = on
as $$
begin
  if tg_op = 'UPDATE' then
    delete from private.ready_steps r using old_rows o
    where o.status = 'ready' and r.agent_class = o.agent_class and r.run_at = o.run_at and r.step_id = o.step_id;
  end if;
  insert into private.ready_steps (agent_class, run_at, step_id)
  select n.agent_class, n.run_at, n.step_id from new_rows n where n.status = 'ready';
  return null;
end
$$;
comment on function private.keep_ready_steps() is 'A step that is ready stands in private.ready_steps, one that is not does not.';

create trigger _600_ready_insert after insert on public.task_steps referencing new table as new_rows
  for each statement execute function private.keep_ready_steps();
create trigger _600_ready_update after update on public.task_steps referencing old table as old_rows new table as new_rows
  for each statement execute function private.keep_ready_steps();
insert into private.ready_steps (agent_class, run_at, step_id) select s.agent_class, s.run_at, s.step_id from public.task_steps s where s.status = 'ready';

-- With these three gone no index of task_steps names its status, and a step becomes ready within its page (HOT). The tasks are
-- found by node_is_unique_in_its_task, the ready steps above, a lost lease below: a step has a lease exactly while it runs.
drop index public.task_steps_by_task, public.task_steps_ready, public.task_steps_leased;
create index task_steps_under_lease on public.task_steps (lease_expires_at) where lease_expires_at is not null;
-- Three versions of a step in a few seconds: room for them in its page, and a vacuum that comes before they fill others.
alter table public.task_steps set (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000,
  autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.02);
alter table public.tasks set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.02);
-- Only ever appended to: the vacuum that follows inserts keeps the visibility map, the default waits for a fifth of history.
alter table public.events set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table public.audit_logs set (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- For a database whose triggers were off while steps were written, as a restore or a bench does.
create function private.refill_ready_steps() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_gone integer;
  v_come integer;
begin
  lock table public.task_steps in share row exclusive mode;
  delete from private.ready_steps r where not exists (select 1 from public.task_steps s
    where s.step_id = r.step_id and s.status = 'ready' and s.run_at = r.run_at and s.agent_class = r.agent_class);
  get diagnostics v_gone = row_count;
  insert into private.ready_steps (agent_class, run_at, step_id)
  select s.agent_class, s.run_at, s.step_id from public.task_steps s where s.status = 'ready' on conflict do nothing;
  get diagnostics v_come = row_count;
  return v_gone + v_come;
end
$$;
comment on function private.refill_ready_steps() is 'Makes the queue what the steps say, and returns how many rows were wrong: 0 unless something was written past the triggers.';
