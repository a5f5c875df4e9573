-- The promise of this file: every decision that the policy took is kept with what it was taken on and the policy it was
-- taken by, so that it can be taken again, by that policy or by another one.
-- Refuses: nothing; it remembers what others decide.

create table public.policy_decisions (
  seq bigint generated always as identity primary key,
  decided_at timestamptz not null default private.now(),
  gate text not null,
  task_id text references public.tasks (task_id),
  policy_sha256 text,
  inputs jsonb not null,
  outcome jsonb not null,
  constraint gate_is_known check (gate in ('plan', 'evaluate', 'ask', 'decide', 'fill', 'reserve'))
);
comment on table public.policy_decisions is
  'What the policy decided, gate by gate, append-only: a tier, a verdict, whom to ask, whether a role counts, whether the answers suffice, whether an effect starts. Refusals that are no matter of policy are not here.';
create index policy_decisions_by_task on public.policy_decisions (task_id, gate) where task_id is not null;

create function private.remember_decision(p_gate text, p_task_id text, p_policy_sha256 text, p_inputs jsonb, p_outcome jsonb, p_at timestamptz)
returns void
language sql volatile set search_path = ''
as $$
  insert into public.policy_decisions (gate, task_id, policy_sha256, inputs, outcome, decided_at)
  values (p_gate, p_task_id, p_policy_sha256, jsonb_strip_nulls(p_inputs), p_outcome, p_at)
$$;

-- The tier that something else than this policy put on a task: a plan, or an older policy. Null where the action has its own.
create function private.raised_tier(p_task public.tasks) returns text
language sql stable set search_path = ''
as $$
  select nullif(greatest(p_task.risk_tier, coalesce(private.action_tier(p_task.action), 'T3')), coalesce(private.action_tier(p_task.action), 'T3'))
$$;

-- Whether it was asked as a reduction: what it was then, not what the position is now.
create function private.asked_as_reduction(p_task public.tasks) returns boolean
language sql stable set search_path = ''
as $$
  select case when p_task.action = 'TRADE' then (
    select (d.inputs ->> 'reduction')::boolean from public.policy_decisions d
    where d.task_id = p_task.task_id and d.gate = 'ask' order by d.seq desc limit 1) end
$$;

-- The persons whose yes counts, and in which role: as private.slots_filled counts them.
create function private.counted_yes(p_request_id uuid) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('person', m.person_id, 'role', a.role) order by a.ts, a.approval_id), '[]')
  from public.approvals a join public.members m on m.member_id = a.member_id and m.status = 'active' and m.role = a.role
  where a.request_id = p_request_id and a.decision = 'approve'
    and not exists (select 1 from public.approvals n join public.members o using (member_id)
      where n.request_id = a.request_id and n.decision = 'reject' and m.person_id in (n.person_id, o.person_id))
$$;

create function private.remember_plan() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_flow text;
  v_tier text := private.action_tier(new.action);
begin
  if new.risk_tier is distinct from v_tier then
    v_flow := coalesce(case when private.policy_value('sources', new.source, 'action') = to_jsonb(new.action)
        then private.policy_value('sources', new.source, 'flow') #>> '{}' end,
      private.policy_value('actions', new.action) #>> '{}', private.policy_value('platform_actions', new.action, 'flow') #>> '{}');
    select greatest(v_tier, max(greatest(n ->> 'tier', private.action_tier(n ->> 'action')))) into v_tier
    from jsonb_array_elements(coalesce(private.policy_value('flows', v_flow, 'nodes'), '[]')) n;
  end if;
  perform private.remember_decision('plan', new.task_id, new.policy_sha256,
    jsonb_build_object('source', new.source, 'action', new.action, 'floor', case when new.risk_tier > v_tier then new.risk_tier end),
    jsonb_build_object('tier', new.risk_tier), private.now());
  return null;
end
$$;
create trigger _850_remember_decision after update on public.tasks for each row
  when (old.status = 'created' and new.status = 'planned') execute function private.remember_plan();

create function private.remember_evaluation() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_task public.tasks;
begin
  select t.* into v_task from public.tasks t where t.task_id = new.task_id;
  perform private.remember_decision('evaluate', new.task_id, private.active_policy_sha256(),
    jsonb_build_object('action', v_task.action, 'floor', private.raised_tier(v_task), 'total', new.total::text, 'score', new.score::text,
      'flagged', new.red_flags <> '{}',
      -- The critic may say no where the marks say yes.
      'doubted', new.verdict = 'fail' and new.red_flags = '{}' and new.score >= new.threshold
        and new.total >= private.policy_number(7, 'rubric', 'pass_total')),
    jsonb_build_object('tier', private.effective_tier(v_task), 'threshold', new.threshold::text, 'verdict', new.verdict), new.created_at);
  return null;
end
$$;
create trigger _850_remember_decision after insert on public.evaluations for each row
  when (new.step_id is not null) execute function private.remember_evaluation();

create function private.remember_request() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_task public.tasks;
  v_inputs jsonb;
begin
  select t.* into v_task from public.tasks t where t.task_id = new.task_id;
  v_inputs := jsonb_build_object('action', v_task.action, 'floor', private.raised_tier(v_task));
  if tg_op = 'INSERT' then
    if v_task.action = 'TRADE' then
      v_inputs := v_inputs || jsonb_build_object('reduction', private.is_reduction(v_task));
    end if;
    perform private.remember_decision('ask', new.task_id, new.bound_to ->> 'policy', v_inputs,
      jsonb_build_object('tier', new.tier, 'slots', to_jsonb(new.required_slots), 'dry_run', (private.task_rule(v_task)).dry_run,
        'limits', coalesce(nullif(new.bound_to -> 'limits', 'null'), '{}')), new.requested_at);
  else
    perform private.remember_decision('fill', new.task_id, new.bound_to ->> 'policy',
      v_inputs || jsonb_build_object('reduction', private.asked_as_reduction(v_task), 'yes', private.counted_yes(new.request_id)),
      jsonb_build_object('filled', new.status = 'approved'), coalesce(new.closed_at, private.now()));
  end if;
  return null;
end
$$;
create trigger _850_remember_decision after insert on public.approval_requests for each row execute function private.remember_request();
create trigger _851_remember_decision after update on public.approval_requests for each row
  when (old.status = 'open' and new.status in ('approved', 'expired')) execute function private.remember_request();

create function private.remember_approval() returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform private.remember_decision('decide', new.task_id, private.active_policy_sha256(), jsonb_build_object('action', r.action, 'role', new.role,
    'slots', to_jsonb(r.required_slots)), '{"counts": true}', new.ts)
  from public.approval_requests r where r.request_id = new.request_id;
  return null;
end
$$;
create trigger _850_remember_decision after insert on public.approvals for each row execute function private.remember_approval();

-- The settings of the policy that a refusal was measured by.
create function private.settings_behind(p_code text) returns text[]
language sql immutable set search_path = ''
as $$
  select case p_code
    when 'limit_exceeded' then array['max_daily_loss_pct', 'daily_loss_cap', 'max_drawdown_pct', 'max_positions', 'max_order_size', 'max_single_tx_usdt']
    when 'cool_down' then array['cool_down_minutes']
    when 'quote_stale' then array['max_quote_age_seconds', 'quote_sources']
    when 'price_moved' then array['max_price_drift_pct']
    else '{}' end
$$;

-- What an effect rests on, from the rows as they are: for one that starts, and for one that was refused.
create function private.remember_effect_decision(p_task_id text, p_code text) returns void
language plpgsql set search_path = ''
as $$
declare
  v_task public.tasks;
  v_request public.approval_requests;
  v_evaluation public.evaluations := private.gating_evaluation(p_task_id);
begin
  select t.* into v_task from public.tasks t where t.task_id = p_task_id;
  -- One that lapsed in this very refusal is superseded already.
  select r.* into v_request from public.approval_requests r where r.task_id = p_task_id and r.status in ('approved', 'consumed', 'superseded')
  order by array_position(array['approved', 'consumed', 'superseded'], r.status), r.closed_at desc, r.code desc limit 1;
  perform private.remember_decision('reserve', p_task_id, private.active_policy_sha256(),
    jsonb_build_object('action', v_task.action, 'floor', private.raised_tier(v_task), 'reduction', private.asked_as_reduction(v_task),
      'total', v_evaluation.total::text, 'score', v_evaluation.score::text, 'flagged', v_evaluation.red_flags <> '{}',
      'doubted', v_evaluation.verdict = 'fail' and v_evaluation.red_flags = '{}', 'yes', private.counted_yes(v_request.request_id),
      'dry_run', p_code is distinct from 'dry_run_missing' and (private.dry_run_of(p_task_id)).artifact_id is not null,
      'limits', nullif(v_request.bound_to -> 'limits', 'null'), 'exceeded', to_jsonb(private.settings_behind(p_code))),
    jsonb_strip_nulls(jsonb_build_object('allowed', p_code is null, 'code', p_code)), private.now());
end
$$;

create function private.remember_effect() returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform private.remember_effect_decision(new.task_id, null);
  return null;
end
$$;
create trigger _850_remember_decision after insert on public.effects for each row execute function private.remember_effect();

create function private.remember_refusal() returns trigger
language plpgsql set search_path = ''
as $$
declare
  v_request public.approval_requests;
  v_task public.tasks;
begin
  if new.action = 'event.accept' then
    perform private.remember_decision('plan', null, private.active_policy_sha256(), jsonb_build_object('source', split_part(new.actor, ':', 2),
      'action', substring(new.after_json ->> 'reason' from '^The policy gives the action (.*) no risk tier\.$')), '{"refused": "unclassified_action"}', new.ts);
  elsif new.action = 'approval.decide' then
    select r.* into v_request from public.approval_requests r where 'request:' || r.request_id = new.object and r.task_id = new.task_id;
    perform private.remember_decision('decide', new.task_id, private.active_policy_sha256(), jsonb_build_object('action', v_request.action,
      'role', split_part(new.actor, ':', 1), 'slots', to_jsonb(v_request.required_slots)), '{"counts": false}', new.ts);
  else
    select t.* into v_task from public.tasks t where t.task_id = new.task_id;
    -- A post of a tier that asks nobody is refused for what it is, not for an answer that is missing.
    if new.code <> 'approval_missing' or (private.task_rule(v_task)).slots <> '{}' then
      perform private.remember_effect_decision(new.task_id, new.code);
    end if;
  end if;
  return null;
end
$$;
create trigger _850_remember_decision after insert on public.audit_logs for each row
  when (new.outcome = 'refused' and ((new.action = 'event.accept' and new.code = 'unclassified_action')
    or (new.action = 'approval.decide' and new.code = 'wrong_role')
    or (new.action in ('effect.reserve', 'effect.start') and new.task_id is not null
      and new.code in ('unclassified_action', 'critic_rejected', 'approval_missing', 'dry_run_missing', 'limit_exceeded', 'cool_down',
        'quote_stale', 'price_moved'))))
  execute function private.remember_refusal();

select private.close_table('public.policy_decisions');
select private.allow_members('public.policy_decisions', 'owner', 'operator', 'reviewer');
select private.keep_history('public.policy_decisions');
