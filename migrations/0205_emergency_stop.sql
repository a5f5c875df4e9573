-- The promise of this file: once a stop is committed no effect starts, posts included and approved ones too; a stop that
-- cannot be read stands. Stopping takes one person and no second factor; going on is asked for here and confirmed by another.
-- Refuses: wrong_role, invalid_request.

create table public.emergency_stops (
  scope text primary key,
  state text not null,
  changed_at timestamptz not null default private.now(),
  changed_by text not null,
  reason text not null check (length(reason) between 1 and 500),
  constraint stop_scope_is_known check (scope in ('all', 't3')),
  constraint stop_state_is_known check (state in ('running', 'stopped'))
);
comment on table public.emergency_stops is
  'Whether effects may start: all of them, and those of tier T3. A row that is missing or says anything but running is a stop.';

create table public.confirmations (
  confirmation_id uuid primary key default gen_random_uuid(),
  code text not null unique check (code ~ '^C-[A-Z2-7]{8}$'),
  kind text not null,
  scope text,
  task_id text references public.tasks (task_id),
  reason text not null check (length(reason) between 1 and 500),
  asked_by uuid not null references public.members (member_id),
  asked_person_id uuid not null,
  asked_role text not null,
  channel text not null,
  asked_at timestamptz not null,
  expires_at timestamptz not null,
  outcome text,
  closed_at timestamptz,
  closed_by uuid references public.members (member_id),
  constraint confirmation_kind_is_known check (kind in ('resume', 'break_glass')),
  constraint confirmation_scope_is_known check (scope in ('all', 't3')),
  constraint a_resume_has_a_scope_and_a_broken_glass_a_task check ((kind = 'resume') = (scope is not null) and (kind = 'break_glass') = (task_id is not null)),
  constraint confirmation_outcome_is_known check (outcome in ('confirmed', 'declined', 'expired', 'voided')),
  constraint closed_exactly_with_an_outcome check ((outcome is null) = (closed_at is null)),
  constraint confirmation_lasts_at_most_15_minutes check (expires_at <= asked_at + interval '15 minutes')
);
comment on table public.confirmations is 'What one person asked for and another must confirm: a resume, a broken glass. Once closed it stays so.';
create index confirmations_open on public.confirmations (expires_at) where outcome is null;
create index confirmations_by_task on public.confirmations (task_id) where task_id is not null;
create index confirmations_by_asker on public.confirmations (asked_by);
create index confirmations_by_closer on public.confirmations (closed_by) where closed_by is not null;

-- tg_argv: the columns that may be filled in, once. Nothing else of such a row ever changes, and no row leaves.
create function private.refuse_rewriting() returns trigger
language plpgsql set search_path = ''
as $$
begin
  if tg_op = 'DELETE' or to_jsonb(new) - tg_argv is distinct from to_jsonb(old) - tg_argv
    or exists (select 1 from unnest(tg_argv) c where to_jsonb(old) ->> c is not null and to_jsonb(new) -> c is distinct from to_jsonb(old) -> c) then
    perform private.raise_refusal('history_is_append_only', format('%s on %s.%s is not allowed', tg_op, tg_table_schema, tg_table_name),
      'what was asked for and granted is filled in once');
  end if;
  return new;
end
$$;
create trigger _100_filled_in_once before update or delete on public.confirmations
  for each row execute function private.refuse_rewriting('outcome', 'closed_at', 'closed_by');

-- Reservations and starts share this lock, whoever stops takes it alone: it waits for those under way, and every later
-- one reads the row after the stop was committed. A lock on the row itself would not do: row-share locks let newcomers
-- past a waiting writer, so that a busy house could starve whoever wants to stop it; advisory locks queue in order.
create function private.share_stop_lock() returns void
language plpgsql set search_path = ''
as $$
begin
  -- An older snapshot would show an older row, however long one waited for the lock.
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception 'effects start in read committed transactions only' using errcode = 'feature_not_supported';
  end if;
  perform pg_advisory_xact_lock_shared(hashtextextended('emergency stop', 0));
end
$$;
comment on function private.share_stop_lock() is 'Taken before any row by whatever starts an effect.';

create function private.hold_stop_lock() returns void
language sql volatile set search_path = ''
as $$ select pg_advisory_xact_lock(hashtextextended('emergency stop', 0)) $$;
comment on function private.hold_stop_lock() is 'Taken first by whatever changes what share_stop_lock protects.';

create function private.is_stopped(p_scope text) returns boolean
language sql stable set search_path = ''
as $$ select coalesce((select e.state <> 'running' from public.emergency_stops e where e.scope = p_scope), true) $$;
comment on function private.is_stopped(text) is 'True unless the row of this scope is there and says running.';

create function private.stop_holds(p_task public.tasks) returns boolean
language sql stable set search_path = ''
as $$
  select private.is_stopped('all')
    or (coalesce(private.effective_tier(p_task), 'T3') = 'T3' and private.is_stopped('t3'))
$$;

create function private.stop_problem(p_task public.tasks) returns text
language plpgsql stable set search_path = ''
as $$
begin
  if private.stop_holds(p_task) and (private.live_grant(p_task.task_id)).grant_id is null then
    return 'stopped';
  end if;
  return null;
end
$$;
comment on function private.stop_problem(public.tasks) is
  'stopped while a stop holds the task and no break-glass grant is for it, else null. Read after share_stop_lock.';

create function private.announce_to_all(p_payload jsonb) returns void
language sql volatile set search_path = ''
as $$ select private.announce(p_payload, array['owner', 'operator', 'reviewer']) $$;

create function private.set_stop(p_scope text, p_reason text, p_actor text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_reason text := coalesce(nullif(left(btrim(p_reason), 500), ''), 'no reason was given');
  v_changed integer;
  v_voided integer;
begin
  if p_scope is null or p_scope not in ('all', 't3') or coalesce(p_actor, '') = '' then
    return private.refuse('invalid_request', p_actor, 'stop.set', 'stop:' || coalesce(left(p_scope, 16), '?'), null,
      'A stop is for all or for t3, by somebody.');
  end if;
  perform private.hold_stop_lock();
  perform private.act_as(p_actor, 'stop.set');
  insert into public.emergency_stops as e (scope, state, changed_by, reason) values (p_scope, 'stopped', left(p_actor, 200), v_reason)
  on conflict (scope) do update set state = excluded.state, changed_at = private.now(), changed_by = excluded.changed_by, reason = excluded.reason
    where e.state <> 'stopped';
  get diagnostics v_changed = row_count;
  -- Whoever stops now has not agreed to what was asked for or allowed before.
  v_voided := private.void_permissions();
  if v_changed + v_voided > 0 then
    perform private.announce_to_all(jsonb_build_object('topic', 'stopped', 'scope', p_scope, 'by', p_actor, 'reason', v_reason));
  else
    insert into public.audit_logs (actor, action, object, after_json)
    values (left(p_actor, 200), 'stop.repeat', 'stops', jsonb_build_object('scope', p_scope, 'reason', v_reason));
  end if;
  return jsonb_build_object('scope', p_scope, 'state', 'stopped', 'changed', v_changed > 0, 'voided', v_voided);
end
$$;

create function api.stop(p_scope text, p_reason text, p_actor text) returns jsonb
language sql volatile security definer set search_path = ''
as $$ select private.set_stop(p_scope, p_reason, coalesce(nullif(p_actor, ''), 'administrator')) $$;
comment on function api.stop(text, text, text) is
  'Stops every effect (all) or those of tier T3 (t3) from the commit of this call on, without Telegram. Only two people resume. Refuses invalid_request. Administrator only.';
revoke all on function api.stop(text, text, text) from public;
grant execute on function api.stop(text, text, text) to administrator;

create function private.actor_of(p_member public.members) returns text
language sql immutable set search_path = ''
as $$ select p_member.role || ':' || p_member.name $$;

create function private.on_stop(p_member public.members, p_intent jsonb, p_channel text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_scope text := case when p_intent ->> 'scope' = 't3' then 't3' else 'all' end;
  v_answer jsonb;
begin
  if p_member.role not in ('owner', 'operator') then
    return private.refuse('wrong_role', private.actor_of(p_member), 'stop.set', 'stop:' || v_scope);
  end if;
  v_answer := private.set_stop(v_scope, p_intent ->> 'reason', private.actor_of(p_member));
  return case when v_answer ? 'refused' then v_answer else v_answer || jsonb_build_object('reply', 'stopped') end;
end
$$;

-- Forty bits of the server's strong randomness, in letters and digits that cannot be mistaken for one another.
create function private.confirmation_code() returns text
language sql volatile set search_path = ''
as $$
  select 'C-' || string_agg(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 1 + (get_byte(r.bytes, i) & 31), 1), '' order by i)
  from (select uuid_send(gen_random_uuid()) as bytes) r, unnest(array[0, 1, 2, 3, 4, 5, 10, 11]) i
$$;

create function private.minutes(p_key text) returns interval
language sql stable set search_path = ''
as $$ select make_interval(secs => 60 * least(greatest(private.policy_number(15, 'emergency', p_key), 1), 15)::double precision) $$;
comment on function private.minutes(text) is 'A time limit of the policy''s section emergency: from one to fifteen minutes, whatever it says.';

-- A newer question takes the place of an older one about the same.
create function private.ask_confirmation(p_member public.members, p_kind text, p_scope text, p_task_id text, p_reason text, p_channel text)
returns public.confirmations
language plpgsql set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_asked public.confirmations;
begin
  perform private.act_as(private.actor_of(p_member), p_kind || '.ask');
  update public.confirmations c set outcome = 'voided', closed_at = v_now
  where c.outcome is null and c.kind = p_kind and c.scope is not distinct from p_scope and c.task_id is not distinct from p_task_id;
  insert into public.confirmations (code, kind, scope, task_id, reason, asked_by, asked_person_id, asked_role, channel, asked_at, expires_at)
  values (private.confirmation_code(), p_kind, p_scope, p_task_id, p_reason, p_member.member_id, p_member.person_id, p_member.role, p_channel,
    v_now, v_now + private.minutes('confirm_minutes'))
  returning * into v_asked;
  perform private.announce(jsonb_build_object('topic', p_kind || '_asked', 'code', v_asked.code, 'scope', p_scope, 'task_id', p_task_id,
    'by', private.actor_of(p_member), 'reason', p_reason, 'expires_at', private.iso(v_asked.expires_at)), array['owner', 'operator'], p_task_id);
  return v_asked;
end
$$;

create function private.confirmation_json(p_asked public.confirmations, p_reply text) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('reply', p_reply, 'code', p_asked.code, 'kind', p_asked.kind, 'scope', p_asked.scope, 'task_id', p_asked.task_id,
    'expires_at', private.iso(p_asked.expires_at))
$$;

create function private.on_resume(p_member public.members, p_intent jsonb, p_channel text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_scope text := coalesce(p_intent ->> 'scope', 'all');
  v_code text := case
    when p_member.role not in ('owner', 'operator') then 'wrong_role'
    when v_scope not in ('all', 't3') then 'invalid_request'
  end;
begin
  if v_code is not null then
    return private.refuse(v_code, private.actor_of(p_member), 'resume.ask', 'stop:' || left(v_scope, 16));
  end if;
  perform private.hold_stop_lock();
  if not private.is_stopped(v_scope) then
    return jsonb_build_object('reply', 'not_stopped', 'scope', v_scope);
  end if;
  return private.confirmation_json(private.ask_confirmation(p_member, 'resume', v_scope, null,
    coalesce(nullif(left(btrim(p_intent ->> 'reason'), 500), ''), 'no reason was given'), p_channel), 'confirmation');
end
$$;

create function private.expire_confirmations() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_count integer;
begin
  perform private.act_as('clock', 'confirmation.expire');
  with late as (
    select c.confirmation_id from public.confirmations c where c.outcome is null and c.expires_at <= private.now() for update skip locked
  )
  update public.confirmations c set outcome = 'expired', closed_at = private.now() from late where c.confirmation_id = late.confirmation_id;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

select private.close_table(t) from unnest(array['public.emergency_stops', 'public.confirmations']::regclass[]) t;
select private.allow_members(t, 'owner', 'operator', 'reviewer') from unnest(array['public.emergency_stops', 'public.confirmations']::regclass[]) t;
select private.audit('public.emergency_stops', 'stop', 'scope');
select private.audit('public.confirmations', 'confirmation', 'confirmation_id');
insert into public.emergency_stops (scope, state, changed_by, reason) values
  ('all', 'running', 'migration', 'nobody has stopped anything yet'),
  ('t3', 'running', 'migration', 'nobody has stopped anything yet');
insert into public.jobs (job_name, every_seconds) values ('expire_confirmations', 60);
