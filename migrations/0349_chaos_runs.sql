-- The promise of this file: each time that trouble was made on purpose is on record, with what was seen and whether it was recovered from.
-- Refuses: invalid_request.

create table public.chaos_runs (
  id uuid primary key default gen_random_uuid(),
  case_name text not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  recovered boolean not null,
  runbook text not null,
  evidence jsonb not null,
  run_by text not null check (length(run_by) between 1 and 200),
  recorded_at timestamptz not null default private.now(),
  constraint chaos_case_is_known check (case_name in ('tool-down', 'slow-bus', 'stale-memory', 'retrieval-outage', 'payment-failure', 'llm-timeout')),
  constraint chaos_ends_after_it_began check (ended_at >= started_at),
  constraint chaos_took_at_most_an_hour check (ended_at <= started_at + interval '1 hour'),
  constraint chaos_has_evidence check (jsonb_typeof(evidence) = 'object' and evidence ? 'injected' and evidence ? 'observed' and octet_length(evidence::text) <= 16384)
);
comment on table public.chaos_runs is 'Trouble made on purpose on a scratch database: which, when, what was injected and seen, and whether what the runbook promises came true.';
create index chaos_runs_by_time on public.chaos_runs (ended_at);

create function api.record_chaos_run(p_case text, p_seconds numeric, p_recovered boolean, p_runbook text, p_evidence jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_run public.chaos_runs;
begin
  if coalesce(p_case, '') not in ('tool-down', 'slow-bus', 'stale-memory', 'retrieval-outage', 'payment-failure', 'llm-timeout')
    or p_recovered is null or coalesce(p_runbook, '') not in ('desync', 'tool-failure', 'memory-drift') or p_seconds is null or p_seconds not between 0 and 3600
    or not coalesce(jsonb_typeof(p_evidence) = 'object' and p_evidence ? 'injected' and p_evidence ? 'observed' and octet_length(p_evidence::text) <= 16384, false)
    or coalesce(length(p_actor), 0) not between 1 and 200 then
    return private.refuse('invalid_request', p_actor, 'chaos.record', 'chaos:' || coalesce(left(p_case, 32), '?'), null,
      'A run of a known case says what was injected and observed, and took at most an hour.');
  end if;
  -- When it began is reckoned from the database's clock: no caller sets time.
  insert into public.chaos_runs (case_name, started_at, ended_at, recovered, runbook, evidence, run_by)
  values (p_case, private.now() - make_interval(secs => p_seconds::double precision), private.now(), p_recovered, p_runbook, p_evidence, p_actor)
  returning * into v_run;
  insert into public.audit_logs (actor, action, object, after_json)
  values (p_actor, 'chaos.run', 'chaos:' || v_run.id, jsonb_build_object('case', p_case, 'recovered', p_recovered, 'runbook', p_runbook));
  return jsonb_build_object('id', v_run.id, 'case', p_case, 'recovered', p_recovered);
end
$$;
comment on function api.record_chaos_run(text, numeric, boolean, text, jsonb, text) is
  'Puts a chaos run that just ended on record. Refuses invalid_request. Administrator only.';
revoke all on function api.record_chaos_run(text, numeric, boolean, text, jsonb, text) from public;
grant execute on function api.record_chaos_run(text, numeric, boolean, text, jsonb, text) to administrator;

select private.close_table('public.chaos_runs');
select private.allow_members('public.chaos_runs', 'owner', 'operator', 'reviewer');
select private.keep_history('public.chaos_runs');
