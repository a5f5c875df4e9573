-- The promise of this file: a yes is bound to everything that was known when it was given; whatever drifts voids it
-- and is asked anew, and work that is done anew with the same result keeps it.
-- Refuses: not_found, illegal_transition, invalid_request.

create function private.flag_on(p_key text) returns boolean
language sql stable set search_path = ''
as $$ select coalesce((select f.enabled from public.feature_flags f where f.key = p_key), false) $$;
comment on function private.flag_on(text) is 'Whether a switch is on; one that nobody ever set is off.';

-- Of work that was done twice the newest counts, per step and type: an identical second round changes nothing.
create function private.newest_artifacts(p_task_id text) returns setof public.artifacts
language sql stable set search_path = ''
as $$
  select distinct on (a.step_id, a.type) a.* from public.artifacts a where a.task_id = p_task_id
  order by a.step_id, a.type, a.created_at desc, a.artifact_id desc
$$;

create or replace function private.task_inputs(p_task_id text) returns jsonb
language sql stable set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('node_id', s.node_id, 'agent', a.agent, 'artifact_id', a.artifact_id, 'type', a.type,
    'storage_ref', a.storage_ref, 'checksum', a.checksum, 'content', a.content) order by a.created_at, a.artifact_id), '[]')
  from private.newest_artifacts(p_task_id) a left join public.task_steps s on s.step_id = a.step_id
$$;

create function private.dry_run_of(p_task_id text) returns public.artifacts
language sql stable set search_path = ''
as $$
  select a from private.newest_artifacts(p_task_id) a where a.type = 'dry_run' order by a.created_at desc, a.artifact_id desc limit 1
$$;

-- A rehearsal counts for the very bytes it rehearsed, by their hash.
create function private.dry_run_problem(p_task_id text, p_evaluation public.evaluations) returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_dry_run public.artifacts := private.dry_run_of(p_task_id);
begin
  return case
    when v_dry_run.artifact_id is null then 'dry_run_missing'
    when private.sha256_hex(v_dry_run.content) <> v_dry_run.checksum then 'digest_drift'
    when private.json_member(v_dry_run.content, 'subject_sha256') is distinct from to_jsonb(p_evaluation.artifact_checksum) then 'dry_run_missing'
  end;
end
$$;
comment on function private.dry_run_problem(text, public.evaluations) is
  'Null when the newest dry run rehearsed what the critic evaluated, byte for byte.';

-- Agents write what they like: a text that is no JSON object has no members.
create function private.json_member(p_content text, p_name text) returns jsonb
language plpgsql immutable set search_path = ''
as $$
begin
  return p_content::jsonb -> p_name;
exception when invalid_text_representation or untranslatable_character then
  return null;
end
$$;

-- What the evaluated artifact asks for: a trade's order, an access's grant, a policy change's policy.
create function private.proposed(p_task_id text, p_member text) returns jsonb
language sql stable set search_path = ''
as $$
  select private.json_member(a.content, p_member)
  from private.gating_evaluation(p_task_id) e join public.artifacts a on a.artifact_id = e.artifact_id
  where a.type = 'proposal'
$$;

-- What is asked of people for this task: its tier's rule, but for an order that can only make a position smaller. Getting
-- out must not wait for two.
create function private.task_rule(p_task public.tasks) returns private.approval_rule
language plpgsql stable set search_path = ''
as $$
declare
  v_body jsonb := (select p.body from public.policies p where p.status = 'active');
begin
  if p_task.action = 'TRADE' and v_body #> '{trading,reduce_only_approvals}' is not null and private.is_reduction(p_task) then
    return private.rule_of(jsonb_build_object('rubric', v_body -> 'rubric',
      'approvals', jsonb_build_object('T3', v_body #> '{trading,reduce_only_approvals}')), 'T3');
  end if;
  return private.approval_rule(private.effective_tier(p_task));
end
$$;
comment on function private.task_rule(public.tasks) is 'Score, slots and dry run that hold for this task now; null where the policy cannot be read.';

create or replace function private.bound_to(p_task_id text, p_step_id uuid, p_expires_at timestamptz) returns jsonb
language plpgsql stable set search_path = ''
as $$
declare
  v_task public.tasks;
  v_evaluation public.evaluations := private.gating_evaluation(p_task_id);
begin
  select t.* into v_task from public.tasks t where t.task_id = p_task_id;
  -- Checksums are taken from the content, not from the checksum column: whoever swaps bytes may swap that too.
  return jsonb_build_object('tenant', v_task.tenant_id, 'task', v_task.task_id, 'step', p_step_id::text, 'action', v_task.action,
    'tier', v_task.risk_tier, 'inputs', private.sha256_hex(v_task.goal || '|' || v_task.payload_json::text),
    'artifacts', coalesce((select jsonb_agg(jsonb_build_object('type', a.type, 'sha256', private.sha256_hex(a.content)) order by a.type collate "C")
      from private.newest_artifacts(p_task_id) a
      where a.step_id = (select o.step_id from public.artifacts o where o.artifact_id = v_evaluation.artifact_id)), '[]'),
    'rubric', v_evaluation.rubric_sha256, 'score', v_evaluation.score::text, 'critic', v_evaluation.critic,
    'dry_run', private.sha256_hex((private.dry_run_of(p_task_id)).content), 'limits', private.limit_settings(v_task),
    'policy', private.active_policy_sha256(), 'roles', to_jsonb((private.task_rule(v_task)).slots), 'expires_at', private.iso(p_expires_at));
end
$$;
comment on function private.bound_to(text, uuid, timestamptz) is
  'The input of an approval digest: tenant, task, step, action, tier, inputs, artifacts, rubric, score, critic, dry run, limit settings, policy, roles, expiry.';

-- Actions that the policy tiers and that nothing here can carry out: a withdrawal has no channel, and going on after a stop or
-- breaking the glass are confirmed by two people without a task.
create function private.has_no_way_out(p_action text) returns boolean
language sql immutable set search_path = ''
as $$ select p_action in ('WITHDRAWAL', 'RESUME', 'BREAK_GLASS') $$;

-- Before people are asked, and whenever they are asked again. Null, or why the task cannot go on.
create function private.asking_problem(p_task public.tasks, p_rule private.approval_rule) returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_evaluation public.evaluations := private.gating_evaluation(p_task.task_id);
begin
  -- People are asked only about what the critic passed, by the rule of now, and whose bytes are still those it read.
  return case
    when p_rule is null then 'policy_invalid'
    when private.has_no_way_out(p_task.action) then 'no_channel'
    when v_evaluation.evaluation_id is null then 'evaluation_missing'
    when v_evaluation.verdict <> 'pass' or v_evaluation.score < p_rule.min_score then 'critic_rejected'
    when private.artifacts_altered(v_evaluation) then 'digest_drift'
    when p_rule.dry_run then private.dry_run_problem(p_task.task_id, v_evaluation)
  end;
end
$$;

-- Whether the answers that are on record still fit: then nobody is asked a second time. Otherwise they are void.
create function private.keep_request(p_step_id uuid, p_slots text[], p_digest_of jsonb) returns boolean
language plpgsql set search_path = ''
as $$
declare
  v_request public.approval_requests;
begin
  select r.* into v_request from public.approval_requests r where r.step_id = p_step_id and r.status in ('open', 'approved') for update;
  if v_request.request_id is null then
    return false;
  end if;
  if v_request.digest <> private.digest_json(p_digest_of) or v_request.required_slots <> p_slots then
    perform private.act_as('orchestrator', 'approval.supersede');
    update public.approval_requests r set status = 'superseded', closed_at = private.now()
    where r.request_id = v_request.request_id returning * into v_request;
    perform private.show_result(v_request);
    return false;
  end if;
  update public.task_steps s set status = 'awaiting_approval', ended_at = null where s.step_id = p_step_id and s.status <> 'awaiting_approval';
  update public.tasks t set status = 'awaiting_approval' where t.task_id = v_request.task_id and t.status <> 'awaiting_approval';
  if v_request.status = 'approved' then
    perform private.settle_request(v_request);
  end if;
  return true;
end
$$;
comment on function private.keep_request(uuid, text[], jsonb) is
  'Keeps the request of a step whose work was done anew with the same result; supersedes one that no longer fits.';

create or replace function private.open_request(p_step_id uuid) returns void
language plpgsql set search_path = ''
as $$
declare
  v_step public.task_steps;
  v_task public.tasks;
  v_rule private.approval_rule;
  v_expires timestamptz;
  v_bound jsonb;
  v_request public.approval_requests;
  v_problem text;
begin
  select s.* into v_step from public.task_steps s where s.step_id = p_step_id for no key update;
  select t.* into v_task from public.tasks t where t.task_id = v_step.task_id for no key update;
  if private.effective_tier(v_task) > v_task.risk_tier then
    update public.tasks t set risk_tier = private.effective_tier(v_task) where t.task_id = v_task.task_id returning * into v_task;
  end if;
  v_rule := private.task_rule(v_task);
  v_problem := private.asking_problem(v_task, v_rule);
  v_expires := v_task.created_at + make_interval(mins => private.policy_number(
    private.policy_number(24, 'windows', 'request_hours') * 60, 'flows', v_task.flow, 'expires_minutes')::integer);
  if v_problem is not null then
    perform private.end_task(v_task.task_id, 'rejected', v_problem);
    return;
  end if;
  if v_rule.slots = '{}' then
    -- Planned under a policy that asked somebody; the active one asks nobody.
    update public.task_steps s set status = case s.status when 'ready' then 'skipped' else 'done' end, ended_at = private.now()
    where s.step_id = p_step_id and s.status in ('ready', 'awaiting_approval');
    update public.tasks t set status = 'running' where t.task_id = v_task.task_id and t.status = 'awaiting_approval';
    perform private.advance(array[p_step_id]);
    return;
  end if;
  -- The clock of a signal starts at the alert: an hour-old entry is not worth a person's minute.
  if v_expires <= private.now() then
    perform private.end_task(v_task.task_id, 'rejected', 'request_expired');
    return;
  end if;
  v_bound := private.bound_to(v_task.task_id, p_step_id, v_expires);
  if private.keep_request(p_step_id, v_rule.slots, v_bound) then
    return;
  end if;
  insert into public.approval_requests (code, subject_id, task_id, step_id, tier, action, required_slots, digest, bound_to, expires_at)
  values (private.dated_id(v_task.risk_tier, '', 'request', 'private.request_numbers', private.now()), v_task.task_id, v_task.task_id,
    p_step_id, v_task.risk_tier, v_task.action, v_rule.slots, private.digest_json(v_bound), v_bound, v_expires)
  returning * into v_request;
  update public.task_steps s set status = 'awaiting_approval', started_at = coalesce(s.started_at, private.now()), ended_at = null
  where s.step_id = p_step_id and s.status <> 'awaiting_approval';
  update public.tasks t set status = 'awaiting_approval' where t.task_id = v_task.task_id and t.status <> 'awaiting_approval';
  perform private.emit('NEED_APPROVAL', v_task.task_id, 'orchestrator', v_task.task_id || ':' || v_step.node_id || ':' || v_request.code,
    jsonb_build_object('code', v_request.code, 'tier', v_request.tier, 'digest', v_request.digest, 'expires_at', private.iso(v_expires)));
  if private.send_cards(v_request) = 0 then
    perform private.announce(jsonb_build_object('topic', 'no_approver', 'code', v_request.code, 'task_id', v_task.task_id,
      'tier', v_request.tier, 'required_roles', to_jsonb(v_rule.slots)), array['owner'], v_task.task_id);
  end if;
end
$$;

create or replace function private.card(p_request public.approval_requests) returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return (select jsonb_build_object('code', p_request.code, 'nonce', p_request.nonce, 'tier', p_request.tier, 'action', p_request.action,
    'task_id', t.task_id, 'goal', t.goal, 'requested_by', t.actor, 'score', e.score::text, 'threshold', e.threshold::text,
    'critic', e.critic, 'red_flags', to_jsonb(e.red_flags), 'required_roles', to_jsonb(p_request.required_slots),
    'expires_at', private.iso(p_request.expires_at), 'digest', p_request.digest,
    'artifact', jsonb_build_object('type', a.type, 'content', a.content, 'checksum', a.checksum),
    'post', (select p.content from private.newest_artifacts(t.task_id) p where p.step_id = a.step_id and p.type = 'post'),
    'dry_run', (private.dry_run_of(t.task_id)).content,
    'second_factor', private.second_factor_demanded(p_request.tier),
    -- What keeps what was approved from being carried out. A stop and the switch hold only what has not left yet.
    'task_status', t.status, 'held', case
      when t.status = 'paused' and t.reason = 'effect_unknown' then 'effect_unknown'
      when p_request.status not in ('approved', 'consumed') or t.ended_at is not null
        or exists (select 1 from public.effects x where x.request_id = p_request.request_id and x.status <> 'reserved') then null
      when private.stop_problem(t) is not null then 'stopped'
      when private.held_by_switch(t) then 't3_execution_disabled' end,
    'decided', coalesce((select jsonb_agg(jsonb_build_object('approver', d.approver, 'role', d.role, 'decision', d.decision,
      'reason', d.reason, 'ts', private.iso(d.ts)) order by d.ts) from public.approvals d where d.request_id = p_request.request_id), '[]'))
  from public.tasks t, private.gating_evaluation(t.task_id) e
  join public.artifacts a on a.artifact_id = e.artifact_id
  where t.task_id = p_request.task_id);
end
$$;

-- Everything between the plan and the archive is done a second time. The request stays as it is meanwhile; whether its
-- answers still fit is seen when the line is back at its gate.
create function api.replan_task(p_task_id text, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_task public.tasks;
begin
  if coalesce(length(p_reason), 0) not between 1 and 500 or coalesce(p_actor, '') = '' then
    return private.refuse('invalid_request', p_actor, 'task.replan', 'task:' || left(p_task_id, 64), null, 'Work is done anew by somebody, with a reason.');
  end if;
  select t.* into v_task from public.tasks t where t.task_id = p_task_id for no key update;
  if v_task.task_id is null then
    return private.refuse('not_found', p_actor, 'task.replan', 'task:' || left(p_task_id, 64));
  end if;
  perform 1 from public.task_steps s where s.task_id = p_task_id order by s.step_id for no key update;
  if v_task.status not in ('running', 'awaiting_approval', 'pending_exec') or not private.effect_not_begun(p_task_id)
    or not exists (select 1 from public.approval_requests r where r.task_id = p_task_id and r.status in ('open', 'approved')) then
    return private.refuse('illegal_transition', p_actor, 'task.replan', 'task:' || p_task_id, p_task_id,
      'Only what waits at its gate, and whose effect nobody has taken in hand, is done anew.');
  end if;
  perform private.act_as(p_actor, 'task.replan');
  insert into public.audit_logs (actor, action, object, task_id, after_json)
  values (p_actor, 'task.replan', 'task:' || p_task_id, p_task_id, jsonb_build_object('reason', p_reason));
  -- What is being worked on is taken from its worker: a verdict on the old text must not meet the new one.
  with anew as (
    select s.step_id, (select count(*)::integer from public.task_steps p
      where p.task_id = s.task_id and p.node_id = any (s.waits_for) and p.agent_class <> 'planner') as parents
    from public.task_steps s
    where s.task_id = p_task_id and s.agent_class not in ('planner', 'orchestrator') and s.status in ('done', 'awaiting_approval', 'ready', 'pending', 'running')
  )
  update public.task_steps s set pending_parents = a.parents, status = case when a.parents = 0 then 'ready' else 'pending' end,
    run_at = private.now(), ended_at = null, lease_token = null, lease_expires_at = null
  from anew a where s.step_id = a.step_id;
  update public.tasks t set status = 'running', reason = null where t.task_id = p_task_id and t.status <> 'running';
  return jsonb_build_object('task_id', p_task_id, 'status', 'running');
end
$$;
comment on function api.replan_task(text, text, text) is
  'Has the work of a task at its gate done anew; the same result keeps the answers that were given, another one is asked about anew. Refuses not_found, illegal_transition, invalid_request. Administrator only.';
revoke all on function api.replan_task(text, text, text) from public;
grant execute on function api.replan_task(text, text, text) to administrator;
