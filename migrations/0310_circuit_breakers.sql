-- The promise of this file: a tool outside that fails five times in a row within a minute is left alone for two, and then exactly one
-- call asks whether it is back, however many processes there are. Refuses: breaker_open, stale_lease, invalid_request.

insert into private.refusal_codes (code, sqlstate) values ('breaker_open', null);

alter table private.transitions drop constraint subject_is_known, add constraint subject_is_known
  check (subject in ('task', 'step', 'request', 'effect', 'breaker'));
insert into private.transitions (subject, from_status, to_status, why) values
  ('breaker', '(new)', 'closed', 'a tool is put on the list'),
  ('breaker', 'closed', 'open', 'five failures in a row within 60 seconds, or a person tripped it'),
  ('breaker', 'open', 'half_open', 'two minutes have passed and one call is let through, or a person resets it'),
  ('breaker', 'half_open', 'closed', 'the probe was answered, or a person resets it'),
  ('breaker', 'half_open', 'open', 'the probe failed, or a person tripped it');

create table public.circuit_breakers (
  tool text primary key check (tool ~ '^[a-z][a-z_]{0,31}(\.[a-z][a-z_]{0,31})?$'),
  state text not null default 'closed',
  consecutive_failures integer not null default 0 check (consecutive_failures >= 0),
  failed_at timestamptz[] not null default '{}',
  window_started_at timestamptz generated always as (failed_at[1]) stored,
  opened_at timestamptz,
  first_opened_at timestamptz,
  probe_token uuid,
  probe_until timestamptz,
  reason text,
  recent_failures jsonb not null default '[]',
  changed_by text not null default 'migration' check (length(changed_by) between 1 and 200),
  changed_at timestamptz not null default private.now(),
  drain_after timestamptz,
  constraint breaker_state_is_known check (state in ('closed', 'open', 'half_open')),
  constraint opened_exactly_while_not_closed check ((state = 'closed') = (opened_at is null) and (opened_at is null) = (first_opened_at is null)),
  constraint opened_again_after_it_first_opened check (opened_at >= first_opened_at),
  constraint probed_exactly_while_half_open check ((state = 'half_open') = (probe_token is not null) and (probe_token is null) = (probe_until is null)),
  constraint five_failures_are_remembered check (cardinality(failed_at) <= 5 and cardinality(failed_at) <= consecutive_failures),
  constraint five_failures_within_a_minute_open_it
    check (state <> 'closed' or cardinality(failed_at) < 5 or failed_at[5] - failed_at[1] > interval '60 seconds')
) with (fillfactor = 70);
comment on table public.circuit_breakers is 'Every tool outside, and whether it may be called. A closed breaker without a failure is read and not written.';
comment on column public.circuit_breakers.failed_at is 'The last five failures of the present row of them; a success empties it.';
comment on column public.circuit_breakers.first_opened_at is 'Since when it has not been closed; opened_at moves with every failed probe.';
comment on column public.circuit_breakers.recent_failures is 'What the last five failures said, masked by whoever reported them.';
comment on column public.circuit_breakers.changed_by is 'breaker for what it does by itself, else the person who tripped or reset it.';
comment on column public.circuit_breakers.drain_after is 'When the next of what waited for this tool may be let go.';

create function private.breaker_rest() returns interval
language sql immutable set search_path = '' as $$ select interval '2 minutes' $$;
create function private.probe_lease() returns interval
language sql immutable set search_path = '' as $$ select interval '60 seconds' $$;
comment on function private.probe_lease() is 'Longer than any one call may take. A probe whose holder died is given out again after it.';

create function private.guard_breaker() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_was text := case tg_op when 'INSERT' then '(new)' else old.state end;
begin
  if tg_op = 'UPDATE' and old.tool <> new.tool then
    perform private.raise_refusal('illegal_transition', format('breaker %s cannot become another', old.tool), 'a tool has one row');
  end if;
  if v_was <> new.state and not exists (select 1 from private.transitions t
    where t.subject = 'breaker' and t.from_status = v_was and t.to_status = new.state) then
    perform private.raise_refusal('illegal_transition', format('breaker %s cannot go from %s to %s', new.tool, v_was, new.state),
      'use api.trip_breaker or api.reset_breaker');
  end if;
  -- By itself it neither asks too early nor twice at once.
  if v_was = 'open' and new.state = 'half_open' and new.changed_by = 'breaker' and private.now() < old.opened_at + private.breaker_rest()
    or v_was = 'half_open' and new.state = 'half_open' and new.probe_token is distinct from old.probe_token and private.now() < old.probe_until then
    perform private.raise_refusal('illegal_transition', format('breaker %s gives out no probe now', new.tool), 'one probe at a time, two minutes after it opened');
  end if;
  return new;
end
$$;
create trigger _100_guard_breaker before insert or update on public.circuit_breakers for each row execute function private.guard_breaker();
create trigger _300_guard_delete before delete on public.circuit_breakers for each row execute function private.refuse_removal(breaker, tool);

create function private.breaker_due(p_breaker public.circuit_breakers) returns timestamptz
language sql immutable set search_path = ''
as $$ select case p_breaker.state when 'open' then p_breaker.opened_at + private.breaker_rest() when 'half_open' then p_breaker.probe_until end $$;
comment on function private.breaker_due(public.circuit_breakers) is 'When it gives out the next probe; null while it is closed.';

create function private.last_five(p_failures jsonb, p_error text) returns jsonb
language sql volatile set search_path = ''
as $$
  select case when jsonb_array_length(f.said) > 5 then f.said - 0 else f.said end
  from (select p_failures || jsonb_build_object('at', private.iso(private.now()), 'error', left(p_error, 300)) as said) f
$$;

create function private.breaker_json(p_breaker public.circuit_breakers) returns jsonb
language sql immutable set search_path = ''
as $$ select jsonb_build_object('tool', p_breaker.tool, 'state', p_breaker.state, 'failures', p_breaker.consecutive_failures) $$;

-- An audit row a minute says that calls are refused; each step that waits for the tool has a row of its own.
create function private.refuse_call(p_breaker public.circuit_breakers) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_object text := 'breaker:' || p_breaker.tool;
  v_answer jsonb := jsonb_build_object('tool', p_breaker.tool, 'state', p_breaker.state,
    'retry_after', ceil(greatest(extract(epoch from private.breaker_due(p_breaker) - private.now()), 1)));
  v_said timestamptz;
begin
  select a.ts into v_said from public.audit_logs a where a.object = v_object and a.action = 'breaker.refuse' order by a.id desc limit 1;
  if v_said > private.now() - interval '1 minute' then
    return v_answer || jsonb_build_object('refused', 'breaker_open');
  end if;
  return private.refuse('breaker_open', 'breaker', 'breaker.refuse', v_object, null, null, v_answer);
end
$$;

create function api.admit_call(p_tool text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_breaker public.circuit_breakers;
begin
  select b.* into v_breaker from public.circuit_breakers b where b.tool = p_tool;
  if v_breaker.tool is null then
    return private.refuse('invalid_request', 'worker', 'breaker.admit', 'breaker:' || coalesce(left(p_tool, 64), '?'), null, 'No tool of this name has a breaker.');
  end if;
  if v_breaker.state <> 'closed' and private.now() >= private.breaker_due(v_breaker) then
    -- Of all who come now one takes the lock first; the others find its probe.
    select b.* into v_breaker from public.circuit_breakers b where b.tool = p_tool for no key update;
  end if;
  if v_breaker.state = 'closed' then
    return private.breaker_json(v_breaker) || jsonb_build_object('admitted', true);
  elsif private.now() < private.breaker_due(v_breaker) then
    return private.refuse_call(v_breaker);
  end if;
  perform private.act_as('breaker', 'breaker.probe');
  update public.circuit_breakers b set state = 'half_open', probe_token = gen_random_uuid(), probe_until = private.now() + private.probe_lease(),
    changed_by = 'breaker', changed_at = private.now() where b.tool = p_tool returning * into v_breaker;
  return private.breaker_json(v_breaker) || jsonb_build_object('admitted', true, 'probe', v_breaker.probe_token);
end
$$;
comment on function api.admit_call(text) is
  'The leave for one call of a tool outside; with a probe where this call is the one that asks whether it is back. Refuses breaker_open with the seconds to wait, invalid_request.';
revoke all on function api.admit_call(text) from public;
grant execute on function api.admit_call(text) to service_role;

-- p_failed: whether a call failed just now, or a person saw enough.
create function private.open_breaker(p_tool text, p_reason text, p_actor text, p_failed boolean) returns void
language plpgsql set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_was text;
begin
  select b.state into v_was from public.circuit_breakers b where b.tool = p_tool;
  perform private.act_as(p_actor, 'breaker.open');
  update public.circuit_breakers b set state = 'open', opened_at = v_now, first_opened_at = coalesce(b.first_opened_at, v_now),
    probe_token = null, probe_until = null, reason = left(p_reason, 500), changed_by = left(p_actor, 200), changed_at = v_now, drain_after = null,
    failed_at = '{}', consecutive_failures = b.consecutive_failures + p_failed::integer,
    recent_failures = case when p_failed then private.last_five(b.recent_failures, p_reason) else b.recent_failures end
  where b.tool = p_tool;
  -- A probe that fails is no news.
  if v_was = 'closed' then
    perform private.announce(jsonb_build_object('topic', 'breaker_opened', 'subject', p_tool, 'reason', left(p_reason, 280), 'by', p_actor), array['owner', 'operator']);
  end if;
end
$$;

create function private.close_breaker(p_tool text, p_reason text, p_actor text) returns void
language plpgsql set search_path = ''
as $$
begin
  perform private.act_as(p_actor, 'breaker.close');
  update public.circuit_breakers b set state = 'closed', consecutive_failures = 0, failed_at = '{}', opened_at = null, first_opened_at = null,
    probe_token = null, probe_until = null, reason = left(p_reason, 500), changed_by = left(p_actor, 200), changed_at = private.now()
  where b.tool = p_tool;
  perform private.announce(jsonb_build_object('topic', 'breaker_closed', 'subject', p_tool, 'by', p_actor), array['owner', 'operator']);
  update public.alerts a set closed_at = private.now() where a.code = 'circuit_open' and a.subject = 'tool:' || p_tool and a.closed_at is null;
  perform private.drain_fallback(p_tool);
end
$$;

create function private.count_failure(p_breaker public.circuit_breakers, p_error text) returns void
language plpgsql set search_path = ''
as $$
declare
  v_times timestamptz[] := (p_breaker.failed_at || private.now())[greatest(cardinality(p_breaker.failed_at) - 3, 1):];
begin
  if cardinality(v_times) = 5 and v_times[5] - v_times[1] <= interval '60 seconds' then
    perform private.open_breaker(p_breaker.tool, coalesce(p_error, 'five failures in a row'), 'breaker', true);
    return;
  end if;
  perform private.act_as('breaker', 'breaker.failure');
  update public.circuit_breakers b set consecutive_failures = b.consecutive_failures + 1, failed_at = v_times,
    recent_failures = private.last_five(b.recent_failures, p_error) where b.tool = p_breaker.tool;
end
$$;

create function api.report_call(p_tool text, p_probe uuid, p_outcome text, p_error text default null) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_breaker public.circuit_breakers;
begin
  select b.* into v_breaker from public.circuit_breakers b where b.tool = p_tool;
  if v_breaker.tool is null or coalesce(p_outcome, '') not in ('success', 'failure', 'released') then
    return private.refuse('invalid_request', 'worker', 'breaker.report', 'breaker:' || coalesce(left(p_tool, 64), '?'), null,
      'A call of a tool with a breaker ended as success, failure or released.');
  end if;
  if v_breaker.state = 'closed' and p_outcome <> 'failure' and v_breaker.consecutive_failures = 0 then
    return private.breaker_json(v_breaker);
  end if;
  select b.* into v_breaker from public.circuit_breakers b where b.tool = p_tool for no key update;
  if v_breaker.state = 'closed' and p_outcome = 'failure' then
    perform private.count_failure(v_breaker, p_error);
  elsif v_breaker.state = 'closed' and p_outcome = 'success' then
    perform private.act_as('breaker', 'breaker.success');
    update public.circuit_breakers b set consecutive_failures = 0, failed_at = '{}' where b.tool = p_tool;
  elsif v_breaker.state = 'half_open' and p_probe = v_breaker.probe_token then
    if p_outcome = 'success' then
      perform private.close_breaker(p_tool, 'the probe was answered', 'breaker');
    elsif p_outcome = 'failure' then
      perform private.open_breaker(p_tool, coalesce(p_error, 'the probe failed'), 'breaker', true);
    else
      perform private.act_as('breaker', 'breaker.release');
      update public.circuit_breakers b set probe_until = private.now() where b.tool = p_tool;
    end if;
  elsif p_probe is not null and v_breaker.state <> 'closed' then
    return private.refuse('stale_lease', 'worker', 'breaker.report', 'breaker:' || p_tool, null, 'Another probe was given out since, or a person decided.');
  end if;
  -- What was admitted before it opened and ends now says nothing about the tool as it is now.
  select b.* into v_breaker from public.circuit_breakers b where b.tool = p_tool;
  return private.breaker_json(v_breaker);
end
$$;
comment on function api.report_call(text, uuid, text, text) is
  'How a call of a tool ended: success, failure (no answer, or one that is none), or released (nothing was learned). Refuses stale_lease for a probe that was given to another, invalid_request.';
revoke all on function api.report_call(text, uuid, text, text) from public;
grant execute on function api.report_call(text, uuid, text, text) to service_role;

select private.close_table('public.circuit_breakers');
select private.allow_members('public.circuit_breakers', 'owner', 'operator', 'reviewer');
select private.audit('public.circuit_breakers', 'breaker', 'tool');
insert into public.circuit_breakers (tool) values ('quotes.read'), ('broker.order'), ('telegram.post'), ('telegram.invite'), ('ton.read'),
  ('llm.judge'), ('chunks.search'), ('embed');
