-- The promise of this file: whoever wants another policy asks for it with a task, and is bound to the report of what it
-- would have decided differently. Refuses: policy_invalid, invalid_request, unclassified_action.

create function api.propose_policy(p_text text, p_body jsonb, p_report jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_sha text := private.sha256_hex(p_text);
  v_object text := 'policy:' || private.sha256_hex(p_text);
  v_active text;
  v_known public.policies;
  v_problem text := private.policy_body_problem(p_body);
  v_tier text;
  v_report jsonb;
  v_report_sha text;
  v_task_id text;
begin
  v_problem := coalesce(v_problem, case
    when v_sha is null or octet_length(p_text) > 65536 then 'There is no text of at most 64 KiB.'
    -- Without it the next policy could be activated without asking anybody.
    when not p_body ? 'second_factor' then 'The parsed policy has no second_factor section.' end);
  if v_problem is not null then
    return private.refuse('policy_invalid', p_actor, 'policy.propose', v_object, null, v_problem);
  end if;
  lock table public.policies in share row exclusive mode;
  v_active := private.active_policy_sha256();
  v_tier := private.action_tier('POLICY_CHANGE');
  if v_active = v_sha then
    return jsonb_build_object('policy_sha256', v_sha, 'status', 'active', 'changed', false);
  end if;
  v_problem := case
    when v_active is null then 'Nothing is in force, so there is nothing to change: npm run ags -- policy activate.'
    when coalesce(p_actor, '') = '' then 'A policy is proposed by somebody.'
    when jsonb_typeof(p_report) is distinct from 'object' or octet_length(p_report::text) > 32768 or p_report ->> 'replaces' is distinct from v_active
      then 'The report is an object of at most 32 KiB, and a replay against the policy in force.' end;
  if v_problem is not null or v_tier is null then
    return private.refuse(case when v_problem is null then 'unclassified_action' else 'invalid_request' end, p_actor, 'policy.propose', v_object,
      null, coalesce(v_problem, 'The policy in force gives POLICY_CHANGE no tier.'));
  end if;
  select p.* into v_known from public.policies p where p.policy_sha256 = v_sha;
  if v_known.status in ('proposed', 'pending') and v_known.replaces = v_active then
    return jsonb_build_object('policy_sha256', v_sha, 'status', v_known.status, 'changed', false, 'task_id', v_known.task_id);
  end if;
  begin
    -- The parsed body is bound as well: it, and not the text, is what this database obeys.
    v_report := p_report || jsonb_build_object('policy_sha256', v_sha, 'body_sha256', private.sha256_hex(p_body::text));
    v_report_sha := private.digest_json(v_report);
  exception when raise_exception then
    return private.refuse('invalid_request', p_actor, 'policy.propose', v_object, null, left(sqlerrm, 200));
  end;

  v_task_id := private.create_task(jsonb_build_object('source', 'policy', 'actor', p_actor, 'action', 'POLICY_CHANGE',
    'goal', format('Put policy version %s in force (%s): of %s decisions on record it would take %s more loosely and %s more strictly',
      p_body ->> 'version', left(v_sha, 12), coalesce(v_report ->> 'decisions', 'no'), coalesce(v_report ->> 'loosened', 'no'),
      coalesce(v_report ->> 'tightened', 'no')),
    'payload', jsonb_build_object('policy_sha256', v_sha, 'replay_sha256', v_report_sha, 'replaces', v_active, 'version', p_body ->> 'version',
      'decisions', v_report ->> 'decisions', 'not_reproduced', v_report ->> 'not_reproduced', 'loosened', v_report ->> 'loosened',
      'tightened', v_report ->> 'tightened', 'report', v_report)),
    v_tier, false, 'main:policy:' || left(v_sha, 32) || ':' || gen_random_uuid());
  perform private.act_as(p_actor, 'policy.propose');
  insert into public.policies (policy_sha256, version, policy_text, body, status, was_active, activated_by, proposed_at, proposed_by, task_id,
    replaces, report, report_sha256)
  values (v_sha, (p_body ->> 'version')::integer, p_text, p_body, 'proposed', false, 'nobody', private.now(), p_actor, v_task_id,
    v_active, v_report, v_report_sha)
  on conflict (policy_sha256) do update
    set status = 'proposed', version = excluded.version, body = excluded.body, proposed_at = excluded.proposed_at, proposed_by = excluded.proposed_by,
      task_id = excluded.task_id, replaces = excluded.replaces, report = excluded.report, report_sha256 = excluded.report_sha256, pending_at = null;
  return jsonb_build_object('policy_sha256', v_sha, 'status', 'proposed', 'changed', true, 'task_id', v_task_id, 'tier', v_tier,
    'replay_sha256', v_report_sha);
end
$$;
comment on function api.propose_policy(text, jsonb, jsonb, text) is
  'Asks for another policy: keeps it as proposed and opens a POLICY_CHANGE task that is bound to its replay report. The same proposal again is the same task. Refuses policy_invalid, invalid_request, unclassified_action. Administrator only.';
revoke all on function api.propose_policy(text, jsonb, jsonb, text) from public;
grant execute on function api.propose_policy(text, jsonb, jsonb, text) to administrator;

-- Asked when the change is reserved, in the same transaction.
create or replace function private.policy_change_problem(p_task public.tasks, p_payload jsonb) returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_policy public.policies;
begin
  select p.* into v_policy from public.policies p where p.policy_sha256 = p_payload ->> 'policy_sha256';
  return case
    when v_policy.policy_sha256 is null then 'invalid_request'
    when v_policy.status <> 'proposed' or v_policy.task_id is distinct from p_task.task_id then 'illegal_transition'
    when private.policy_altered(v_policy) or v_policy.report_sha256 is distinct from p_payload ->> 'replay_sha256'
      -- Its report compares it with a policy that has gone since.
      or v_policy.replaces is distinct from private.active_policy_sha256() then 'digest_drift'
    -- The rehearsal of a policy is its replay: this one, and no other.
    when private.json_member((private.dry_run_of(p_task.task_id)).content, 'replay_sha256') is distinct from to_jsonb(v_policy.report_sha256)
      then 'dry_run_missing'
  end;
end
$$;
comment on function private.policy_change_problem(public.tasks, jsonb) is
  'Null when what was approved is a proposal that still stands, with the report it was approved by, against the policy in force.';

-- The effect of a policy change. From here it waits for the functions; if they carry it already, it is in force at once.
create or replace function private.adopt_policy(p_effect public.effects) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_sha text := p_effect.payload_json ->> 'policy_sha256';
begin
  lock table public.policies in share row exclusive mode;
  perform private.act_as('orchestrator', 'policy.adopt');
  -- One at a time: the later decision counts.
  update public.policies p set status = case when p.was_active then 'retired' else 'refused' end
  where p.status = 'pending' and p.policy_sha256 <> v_sha;
  update public.policies p set status = 'pending', pending_at = private.now() where p.policy_sha256 = v_sha and p.status = 'proposed';
  if not found then
    raise exception 'policy % is not proposed', v_sha;
  end if;
  return private.activate_pending('orchestrator');
end
$$;
comment on function private.adopt_policy(public.effects) is
  'Makes an approved proposal the pending policy, and puts it in force if every function carries it. Returns the receipt.';

create function private.close_proposal() returns trigger
language plpgsql set search_path = ''
as $$
begin
  update public.policies p set status = case when p.was_active then 'retired' else 'refused' end
  where p.task_id = new.task_id and p.status = 'proposed';
  return null;
end
$$;
comment on function private.close_proposal() is 'A proposal whose task ended without its effect is refused.';
create trigger _700_close_proposal after update on public.tasks for each row
  when (new.action = 'POLICY_CHANGE' and new.status in ('rejected', 'failed', 'cancelled', 'rolled_back') and old.status is distinct from new.status)
  execute function private.close_proposal();
