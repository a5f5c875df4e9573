-- The promise of this file: what may pass is tried again, three times in all, after a pause that nobody can predict; what failed for
-- good by that is a dead letter with everything it said. What another attempt cannot mend is not tried again. Refuses: stale_lease.

create table public.retry_rules (
  tool text not null default '*' check (tool = '*' or tool ~ '^[a-z][a-z_]{0,31}(\.[a-z][a-z_]{0,31})?$'),
  code text not null references private.refusal_codes (code),
  outcome text not null,
  why text not null check (length(why) between 1 and 200),
  rule text primary key generated always as (tool || ' ' || code) stored,
  constraint one_rule_per_tool_and_code unique (tool, code),
  constraint retry_outcome_is_known check (outcome in ('retry', 'wait', 'park', 'rejected', 'failed'))
);
comment on table public.retry_rules is
  'What becomes of a step that gives up with a code, for one tool or for all (*): tried again, waits, is put aside, or its task ends. A code that is not here fails for good.';
create index retry_rules_by_code on public.retry_rules (code);

insert into public.retry_rules (code, outcome, why)
select c, 'rejected', 'what is missing or has changed does not come back' from unnest(array['insufficient_data', 'request_expired', 'critic_rejected',
  'unusable_alert', 'digest_drift', 'approval_missing', 'dry_run_missing', 'price_moved', 'limit_exceeded', 'unknown_account', 'account_suspended',
  'incomplete_bracket', 'position_missing', 'kyc_incomplete', 'order_expired', 'wrong_amount']) c
union all
select c, 'wait', 'it passes by itself, and is no failure' from unnest(array['policy_not_active', 'policy_not_approved', 'policy_invalid', 'stopped',
  't3_execution_disabled', 'quote_stale', 'cool_down', 'no_channel', 'rate_limited']) c
union all
select c, 'retry', 'no answer, or a fault of ours: perhaps the next time' from unnest(array['internal', 'unavailable']) c
union all
values ('breaker_open', 'park', 'the tool does not answer anybody; the step waits in the fallback queue');
insert into public.retry_rules (tool, code, outcome, why) values
  ('quotes.read', 'insufficient_data', 'rejected', 'the source lists no such symbol (4xx)'),
  ('quotes.read', 'rate_limited', 'wait', 'the source asks to be asked less often (429, Retry-After)'),
  ('quotes.read', 'unavailable', 'retry', 'the source did not answer, or with 5xx or nonsense'),
  ('chunks.search', 'unavailable', 'retry', 'neither the memory nor its cache answered'),
  ('embed', 'unavailable', 'retry', 'neither the embedder nor the cache answered'),
  ('llm.judge', 'rate_limited', 'wait', 'the judge is asked as often as the policy lets it be'),
  ('broker.order', 'rate_limited', 'wait', 'orders leave as often as the policy lets them'),
  ('broker.order', 'url_denied', 'failed', 'the bridge lies where this house may not call'),
  ('telegram.post', 'rate_limited', 'wait', 'posts leave as often as the policy and Telegram (429) let them'),
  ('telegram.invite', 'rate_limited', 'wait', 'invitations leave as often as Telegram lets them (429)');

create function private.outcome_for(p_tool text, p_code text) returns text
language sql stable set search_path = ''
as $$
  select coalesce((select r.outcome from public.retry_rules r where r.code = p_code and r.tool in (p_tool, '*') order by r.tool = '*' limit 1), 'failed')
$$;
comment on function private.outcome_for(text, text) is 'What becomes of a step by public.retry_rules: the tool''s own rule, else the one for all, else it fails.';

-- What has no rule of its tool. Parked work waits as well, for those who ask only that.
create or replace function private.outcome_of(p_code text) returns text
language sql stable set search_path = ''
as $$ select case private.outcome_for('*', p_code) when 'park' then 'wait' else private.outcome_for('*', p_code) end $$;

create function private.retry_ceiling(p_failures integer) returns numeric
language sql immutable set search_path = ''
as $$ select least(60, 0.25 * 2 ^ least(greatest(p_failures, 0), 16))::numeric $$;
comment on function private.retry_ceiling(integer) is 'The longest pause in seconds after this many failures: 250 ms, doubled by each, at most a minute.';

create function private.retry_pause(p_failures integer) returns interval
language sql volatile set search_path = ''
as $$ select make_interval(secs => random() * private.retry_ceiling(p_failures)::double precision) $$;
comment on function private.retry_pause(integer) is 'Full jitter: anything from nothing to the ceiling, so that those who failed together do not come back together.';

create table public.dead_letters (
  letter_id uuid primary key default gen_random_uuid(),
  step_id uuid not null unique references public.task_steps (step_id),
  task_id text not null references public.tasks (task_id),
  node_id text not null,
  agent text not null,
  tool text,
  code text not null references private.refusal_codes (code),
  idempotency_key text not null,
  attempts integer not null check (attempts > 0),
  errors jsonb not null,
  first_failed_at timestamptz not null,
  last_failed_at timestamptz not null,
  resolution text,
  resolved_by text,
  resolved_at timestamptz,
  resolve_reason text check (length(resolve_reason) between 1 and 500),
  next_task_id text references public.tasks (task_id),
  constraint resolution_is_known check (resolution in ('requeued', 'dismissed')),
  constraint resolved_by_somebody_with_a_reason check ((resolution is null) = (resolved_by is null) and (resolution is null) = (resolved_at is null)
    and (resolution is null) = (resolve_reason is null)),
  constraint requeued_exactly_with_a_new_task check ((resolution is not distinct from 'requeued') = (next_task_id is not null)),
  constraint errors_are_a_list check (jsonb_typeof(errors) = 'array'),
  constraint failed_first_before_last check (first_failed_at <= last_failed_at)
);
comment on table public.dead_letters is 'Steps that failed for good by trying again: who, with what, how often, and what each attempt said. A person requeues or dismisses them.';
comment on column public.dead_letters.errors is 'In order: when, the code, and what was said, masked by whoever reported it.';
create index dead_letters_by_task on public.dead_letters (task_id);
create index dead_letters_by_code on public.dead_letters (code);
create index dead_letters_by_next_task on public.dead_letters (next_task_id) where next_task_id is not null;
create index dead_letters_open on public.dead_letters (last_failed_at) where resolution is null;
create trigger _100_filled_in_once before update or delete on public.dead_letters
  for each row execute function private.refuse_rewriting('resolution', 'resolved_by', 'resolved_at', 'resolve_reason', 'next_task_id');

create function private.write_dead_letter(p_step public.task_steps, p_tool text, p_code text) returns void
language plpgsql set search_path = ''
as $$
declare
  v_errors jsonb;
  v_letter uuid;
begin
  select jsonb_agg(jsonb_build_object('at', private.iso(f.ts), 'code', f.code, 'error', f.after_json ->> 'reason') order by f.id) into v_errors
  from (select a.* from public.audit_logs a where a.object = 'step:' || p_step.step_id and a.outcome = 'refused' and a.action in ('step.fail', 'step.reap')
    order by a.id desc limit 10) f;
  perform private.act_as(p_step.agent, 'step.bury');
  insert into public.dead_letters (step_id, task_id, node_id, agent, tool, code, idempotency_key, attempts, errors, first_failed_at, last_failed_at)
  values (p_step.step_id, p_step.task_id, p_step.node_id, p_step.agent, p_tool, p_code, p_step.task_id || ':' || p_step.node_id || ':' || p_step.input_hash,
    p_step.attempt, coalesce(v_errors, '[]'), coalesce((v_errors #>> '{0,at}')::timestamptz, private.now()), private.now())
  returning letter_id into v_letter;
  perform private.raise_alert('dead_letter', 'warning', 'step:' || p_step.step_id, p_step.agent || ': ' || p_code, null, p_step.task_id);
end
$$;
comment on function private.write_dead_letter(public.task_steps, text, text) is 'Keeps what a step said before it failed for good, and tells people.';

select private.close_table(t) from unnest(array['public.retry_rules', 'public.dead_letters']::regclass[]) t;
select private.allow_members(t, 'owner', 'operator', 'reviewer') from unnest(array['public.retry_rules', 'public.dead_letters']::regclass[]) t;
select private.audit('public.retry_rules', 'retry_rule', 'rule');
select private.audit('public.dead_letters', 'dead_letter', 'letter_id');
