-- The promise of this file: a task and its steps move only along the edges of one table, whoever writes;
-- an archived task no longer changes. Raises: AGTRN (illegal_transition), AGFRZ (archived_is_frozen).

create table private.transitions (
  subject text not null,
  from_status text not null,
  to_status text not null,
  why text not null,
  primary key (subject, from_status, to_status),
  constraint subject_is_known check (subject in ('task', 'step', 'request', 'effect'))
);
comment on table private.transitions is 'Every legal edge of the state machines; "(new)" is before the first row. docs/state-machine.md shows the same.';

insert into private.transitions (subject, from_status, to_status, why) values
  ('task', '(new)', 'created', 'an event was accepted'),
  ('task', 'created', 'planned', 'the plan was recorded'),
  ('task', 'created', 'rejected', 'the request cannot be planned'),
  ('task', 'created', 'failed', 'planning failed for good'),
  ('task', 'created', 'cancelled', 'a person cancelled it'),
  ('task', 'planned', 'running', 'the first step was claimed'),
  ('task', 'planned', 'rejected', 'the request lapsed before it was worked on'),
  ('task', 'planned', 'failed', 'a step failed for good'),
  ('task', 'planned', 'cancelled', 'a person cancelled it'),
  ('task', 'running', 'awaiting_approval', 'the critic passed it and people must decide'),
  ('task', 'running', 'publishing', 'an effect that needs nobody was reserved'),
  ('task', 'running', 'rejected', 'data is missing, the critic said no, or a yes was taken back'),
  ('task', 'running', 'failed', 'a step failed for good'),
  ('task', 'running', 'paused', 'a person must look'),
  ('task', 'running', 'cancelled', 'a person cancelled it'),
  ('task', 'awaiting_approval', 'running', 'everyone asked said yes'),
  ('task', 'awaiting_approval', 'pending_exec', 'approved, and the effect is not switched on'),
  ('task', 'awaiting_approval', 'rejected', 'somebody said no, or nobody answered in time'),
  ('task', 'awaiting_approval', 'failed', 'a step beside the decision failed for good'),
  ('task', 'awaiting_approval', 'cancelled', 'a person cancelled it'),
  ('task', 'pending_exec', 'publishing', 'the effect was switched on'),
  ('task', 'pending_exec', 'rejected', 'the approval expired, or a yes was taken back'),
  ('task', 'pending_exec', 'failed', 'a step beside the decision failed for good'),
  ('task', 'pending_exec', 'cancelled', 'a person cancelled it'),
  ('task', 'publishing', 'archived', 'the effect is confirmed and everything is stored'),
  ('task', 'publishing', 'paused', 'the outcome of the effect was not seen'),
  ('task', 'publishing', 'rejected', 'the approval no longer holds'),
  ('task', 'publishing', 'failed', 'the effect was refused for good'),
  ('task', 'paused', 'running', 'a person resumed it'),
  ('task', 'paused', 'publishing', 'a person settled the outcome'),
  ('task', 'paused', 'failed', 'a person settled the outcome'),
  ('task', 'paused', 'cancelled', 'a person cancelled it'),
  ('task', 'failed', 'rolled_back', 'its effects were undone'),
  ('step', '(new)', 'pending', 'planned, waits for others'),
  ('step', '(new)', 'ready', 'planned, waits for nobody'),
  ('step', '(new)', 'skipped', 'the tier needs no approval'),
  ('step', 'pending', 'ready', 'everything it waits for is done'),
  ('step', 'pending', 'cancelled', 'its task ended'),
  ('step', 'ready', 'running', 'a worker leased it'),
  ('step', 'ready', 'awaiting_approval', 'people were asked'),
  ('step', 'ready', 'skipped', 'the tier no longer asks anybody'),
  ('step', 'ready', 'cancelled', 'its task ended'),
  ('step', 'running', 'done', 'the lease holder completed it'),
  ('step', 'running', 'ready', 'it will be tried again'),
  ('step', 'running', 'pending', 'what was approved has changed; it waits for people again'),
  ('step', 'running', 'failed', 'it failed for good'),
  ('step', 'running', 'stale', 'the outcome of its effect was not seen'),
  ('step', 'running', 'cancelled', 'its task ended'),
  ('step', 'awaiting_approval', 'done', 'everyone asked said yes'),
  ('step', 'done', 'awaiting_approval', 'what was approved has changed; people are asked anew'),
  ('step', 'awaiting_approval', 'failed', 'somebody said no, or nobody answered in time'),
  ('step', 'awaiting_approval', 'cancelled', 'its task ended'),
  ('step', 'stale', 'done', 'a person settled the outcome'),
  ('step', 'stale', 'failed', 'a person settled the outcome'),
  ('request', '(new)', 'open', 'people were asked'),
  ('request', 'open', 'approved', 'every slot is filled by a distinct person'),
  ('request', 'open', 'rejected', 'one no ends it'),
  ('request', 'open', 'expired', 'no answer in time counts as no'),
  ('request', 'open', 'superseded', 'what it was bound to has changed'),
  ('request', 'approved', 'consumed', 'the effect was reserved'),
  ('request', 'approved', 'rejected', 'somebody took their yes back before the effect began'),
  ('request', 'approved', 'expired', 'the effect was not reserved in time'),
  ('request', 'approved', 'superseded', 'what it was bound to has changed'),
  ('effect', '(new)', 'reserved', 'every gate holds'),
  ('effect', 'reserved', 'sent', 'the call is about to leave'),
  ('effect', 'reserved', 'confirmed', 'the effect is a row of this database'),
  ('effect', 'reserved', 'failed', 'its task ended before the call'),
  ('effect', 'sent', 'confirmed', 'the receiver confirmed it'),
  ('effect', 'sent', 'reserved', 'the receiver certainly did not do it; it will be tried again'),
  ('effect', 'sent', 'failed', 'the receiver refused it for good'),
  ('effect', 'sent', 'unknown', 'the answer was not seen'),
  ('effect', 'unknown', 'confirmed', 'a person settled it'),
  ('effect', 'unknown', 'failed', 'a person settled it');

create table public.tasks (
  task_id text primary key check (task_id ~ '^T-[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{4,}$'),
  status text not null default 'created',
  created_at timestamptz not null default private.now(),
  actor text not null,
  goal text not null check (length(goal) between 1 and 2000),
  risk_tier text not null,
  tenant_id text not null default 'main',
  action text not null,
  source text not null,
  source_event_id text,
  id_reused boolean not null default false,
  requester_person_id uuid,
  flow text,
  payload_json jsonb not null default '{}',
  policy_sha256 text,
  reason text,
  parent_task_id text references public.tasks (task_id),
  ended_at timestamptz,
  archived_at timestamptz,
  constraint task_tier_is_known check (risk_tier in ('T0', 'T1', 'T2', 'T3')),
  constraint task_status_is_known check (status in ('created', 'planned', 'running', 'awaiting_approval', 'pending_exec',
    'publishing', 'archived', 'failed', 'rejected', 'rolled_back', 'paused', 'cancelled')),
  constraint archived_exactly_when_stamped check ((status = 'archived') = (archived_at is not null)),
  constraint ended_exactly_when_stamped
    check ((status in ('archived', 'failed', 'rejected', 'rolled_back', 'cancelled')) = (ended_at is not null))
) with (fillfactor = 80);
comment on table public.tasks is 'What was asked for; status stands near the front for whoever selects *.';
comment on column public.tasks.risk_tier is 'Highest tier of the plan''s steps; T3 until something says otherwise.';
create index tasks_by_status on public.tasks (status);
create index tasks_by_parent on public.tasks (parent_task_id) where parent_task_id is not null;
create index tasks_newest on public.tasks (created_at desc);

create table public.task_steps (
  step_id uuid primary key default gen_random_uuid(),
  task_id text not null references public.tasks (task_id),
  node_id text not null check (node_id ~ '^[a-z][a-z0-9_-]{0,31}$'),
  status text not null,
  agent text not null,
  agent_class text not null,
  action text not null,
  tier text not null,
  after text[] not null default '{}',
  waits_for text[] not null default '{}',
  pending_parents integer not null default 0 check (pending_parents >= 0),
  is_effect boolean not null default false,
  input_ref text,
  input_hash text,
  output_ref text,
  output_json jsonb,
  quality_score numeric(5, 4),
  attempt integer not null default 0 check (attempt >= 0),
  failures integer not null default 0 check (failures between 0 and 3),
  run_at timestamptz not null default private.now(),
  worker text,
  lease_token uuid,
  lease_expires_at timestamptz,
  last_code text,
  last_error text,
  created_at timestamptz not null default private.now(),
  started_at timestamptz,
  ended_at timestamptz,
  constraint node_is_unique_in_its_task unique (task_id, node_id),
  constraint step_tier_is_known check (tier in ('T0', 'T1', 'T2', 'T3')),
  constraint step_status_is_known check (status in ('pending', 'ready', 'running', 'awaiting_approval', 'done', 'failed',
    'skipped', 'stale', 'cancelled')),
  constraint leased_exactly_while_running
    check ((status = 'running') = (lease_token is not null) and (lease_token is null) = (lease_expires_at is null)),
  constraint score_between_0_and_1 check (quality_score between 0 and 1),
  constraint ready_waits_for_nobody check (status <> 'ready' or pending_parents = 0)
) with (fillfactor = 70);
comment on table public.task_steps is 'The plan as steps: who does what after whom, and the lease of whoever does it now.';
comment on column public.task_steps.attempt is 'Grows with every lease: a part of the fence. Only failures are limited to three.';
comment on column public.task_steps.waits_for is '`after` with skipped nodes replaced by what they waited for.';
comment on column public.task_steps.is_effect is 'The one step of a plan that may reserve an effect; it ends by its effect alone.';
comment on column public.task_steps.input_hash is 'sha256 over the request and the parents'' outputs, first 32 hex digits: the last part of the idempotency key.';
create index task_steps_by_task on public.task_steps (task_id);
create index task_steps_ready on public.task_steps (run_at, step_id) where status = 'ready';
create index task_steps_leased on public.task_steps (lease_expires_at) where status = 'running';

create table public.artifacts (
  artifact_id uuid primary key default gen_random_uuid(),
  task_id text not null references public.tasks (task_id),
  step_id uuid references public.task_steps (step_id),
  type text not null check (type ~ '^[a-z][a-z0-9_]{0,31}$'),
  storage_ref text not null unique,
  checksum text not null check (checksum ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null default private.now(),
  agent text not null,
  media_type text not null,
  content text not null check (octet_length(content) <= 262144)
);
comment on table public.artifacts is 'What agents produced; checksum is sha256 in hex over the UTF-8 content.';
create index artifacts_by_task on public.artifacts (task_id, created_at);
create index artifacts_by_step on public.artifacts (step_id);

-- tg_argv: subject, key column. A check after the statement sees all its rows at once.
create function private.guard_transitions() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_bad record;
begin
  if tg_op = 'INSERT' then
    select '(new)' as was, n.body ->> 'status' as became, n.body ->> tg_argv[1] as key into v_bad
    from (select to_jsonb(a) as body from new_rows a) n
    where not exists (select 1 from private.transitions t
      where t.subject = tg_argv[0] and t.from_status = '(new)' and t.to_status = n.body ->> 'status') limit 1;
  else
    select o.body ->> 'status' as was, n.body ->> 'status' as became, n.body ->> tg_argv[1] as key into v_bad
    from (select to_jsonb(a) as body from new_rows a) n
    left join (select to_jsonb(b) as body from old_rows b) o on o.body -> tg_argv[1] = n.body -> tg_argv[1]
    where o.body is null or (o.body ->> 'status' is distinct from n.body ->> 'status'
      and not exists (select 1 from private.transitions t where t.subject = tg_argv[0]
        and t.from_status = o.body ->> 'status' and t.to_status = n.body ->> 'status')) limit 1;
  end if;
  if v_bad.became is not null then
    perform private.raise_refusal('illegal_transition',
      format('%s %s cannot go from %s to %s', tg_argv[0], v_bad.key, coalesce(v_bad.was, 'another key'), v_bad.became),
      'use the api function that owns this transition; docs/state-machine.md has the edges');
  end if;
  return null;
end
$$;

create function private.guard_status(p_table regclass, p_subject text, p_key text) returns void
language plpgsql set search_path = ''
as $$
begin
  execute format('create trigger _100_guard_insert after insert on %s referencing new table as new_rows '
    'for each statement execute function private.guard_transitions(%L, %L)', p_table, p_subject, p_key);
  execute format('create trigger _100_guard_update after update on %s referencing old table as old_rows new table as new_rows '
    'for each statement execute function private.guard_transitions(%L, %L)', p_table, p_subject, p_key);
  execute format('create trigger _300_guard_delete before delete on %s '
    'for each row execute function private.refuse_removal(%L, %L)', p_table, p_subject, p_key);
end
$$;

-- No machine ends by vanishing.
create function private.refuse_removal() returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform private.raise_refusal('illegal_transition', format('%s %s cannot be removed', tg_argv[0], to_jsonb(old) ->> tg_argv[1]),
    'end it by the api function that owns the transition');
  return null;
end
$$;

create function private.refuse_frozen() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_task_id text;
begin
  if tg_op in ('DELETE', 'UPDATE') then
    select t.task_id into v_task_id from old_rows r join public.tasks t using (task_id) where t.status = 'archived' limit 1;
  end if;
  -- A row moved to another task leaves one and enters the other.
  if v_task_id is null and tg_op in ('INSERT', 'UPDATE') then
    select t.task_id into v_task_id from new_rows r join public.tasks t using (task_id) where t.status = 'archived' limit 1;
  end if;
  if v_task_id is not null then
    perform private.raise_refusal('archived_is_frozen', format('%s is archived; %s on %s is not allowed',
      v_task_id, tg_op, tg_table_name), 'open a new task with parent_task_id');
  end if;
  return null;
end
$$;

create function private.freeze_with_task(p_table regclass) returns void
language plpgsql set search_path = ''
as $$
begin
  execute format('create trigger _200_frozen_insert after insert on %s referencing new table as new_rows '
    'for each statement execute function private.refuse_frozen()', p_table);
  execute format('create trigger _200_frozen_update after update on %s referencing old table as old_rows new table as new_rows '
    'for each statement execute function private.refuse_frozen()', p_table);
  execute format('create trigger _200_frozen_delete after delete on %s referencing old table as old_rows '
    'for each statement execute function private.refuse_frozen()', p_table);
end
$$;
comment on function private.freeze_with_task(regclass) is 'Rows of an archived task refuse insert, update and delete.';

-- The task row itself: the one update that archives it passes, since the row was not archived before.
create function private.refuse_frozen_task() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if old.status = 'archived' then
    perform private.raise_refusal('archived_is_frozen', format('%s is archived', old.task_id),
      'open a new task with parent_task_id');
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
create trigger _200_frozen before update or delete on public.tasks
  for each row execute function private.refuse_frozen_task();

select private.close_table(t) from unnest(array['public.tasks', 'public.task_steps', 'public.artifacts']::regclass[]) t;
select private.allow_members(t, 'owner', 'operator', 'reviewer')
  from unnest(array['public.tasks', 'public.task_steps', 'public.artifacts']::regclass[]) t;
select private.guard_status('public.tasks', 'task', 'task_id');
select private.guard_status('public.task_steps', 'step', 'step_id');
select private.freeze_with_task('public.task_steps');
select private.freeze_with_task('public.artifacts');
select private.audit('public.tasks', 'task', 'task_id');
select private.audit('public.task_steps', 'step', 'step_id');
