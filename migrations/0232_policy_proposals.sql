-- The promise of this file: a member who wants another policy asks for it with a task, which is bound to what changes and
-- to the report of what would have been decided differently. Refuses: policy_invalid, invalid_request, unclassified_action, not_found.

-- Every value of a parsed policy by its path. A list of plain values is one value, the nodes of a flow go by their place.
create function private.policy_leaves(p_value jsonb, p_path text) returns table (path text, value text)
language plpgsql immutable set search_path = ''
as $$
begin
  if jsonb_typeof(p_value) = 'object' and p_value <> '{}' then
    return query select l.path, l.value from jsonb_each(p_value) e, private.policy_leaves(e.value, concat_ws('.', p_path, e.key)) l;
  elsif jsonb_typeof(p_value) = 'array' and jsonb_path_exists(p_value, '$[*] ? (@.type() == "object" || @.type() == "array")') then
    return query select l.path, l.value from jsonb_array_elements(p_value) with ordinality e,
      private.policy_leaves(e.value, concat_ws('.', p_path, e.ordinality)) l;
  else
    return query select p_path, p_value::text;
  end if;
end
$$;

-- A long value from shortly before the place where it differs from the other one.
create function private.changed_part(p_value text, p_other text, p_most integer) returns text
language sql immutable set search_path = ''
as $$
  select case when length(p_value) <= p_most then p_value else
    case when s.start > 1 then '…' else '' end || substr(p_value, s.start, p_most - 2)
      || case when s.start + p_most - 2 <= length(p_value) then '…' else '' end end
  from (select greatest(1, least(length(p_value) - p_most + 3, coalesce(min(i) filter (where substr(p_value, i, 1) <> substr(p_other, i, 1)),
    length(p_other)) - 8)) as start from generate_series(1, length(p_value)) i) s
$$;

-- What guards the gates comes first, so that nothing else can push it out of sight.
create function private.policy_changes(p_old jsonb, p_new jsonb) returns jsonb
language sql immutable set search_path = ''
as $$
  with changed as (
    select path, coalesce(o.value, 'nothing') as old, coalesce(n.value, 'nothing') as new,
      row_number() over (order by array_position(array['approvals', 'roles', 'risk_tiers', 'platform_actions', 'second_factor', 'limits', 'rubric',
        'emergency', 'trading', 'payments'], split_part(path, '.', 1)), path collate "C") as place
    from private.policy_leaves(p_old, null) o full join private.policy_leaves(p_new, null) n using (path)
    where o.value is distinct from n.value
  ), lines as (
    select c.place, left(c.path, 80) || ': ' || private.changed_part(c.old, c.new, r.room) || ' → ' || private.changed_part(c.new, c.old, r.room) as line
    from changed c, lateral (select (195 - length(left(c.path, 80))) / 2 as room) r where c.place <= 20
    union all
    select 21, format('and %s more', count(*) - 20) from changed having count(*) > 20
  )
  select jsonb_build_object('changed', (select count(*)::text from changed),
    'changes', (select coalesce(jsonb_agg(l.line order by l.place), '[]') from lines l))
$$;
comment on function private.policy_changes(jsonb, jsonb) is
  'How many values differ between two parsed policies, and the first twenty as "path: old → new" of at most 200 characters.';

create function api.propose_policy(p_text text, p_body jsonb, p_report jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_sha text := private.sha256_hex(p_text);
  v_object text := 'policy:' || private.sha256_hex(p_text);
  v_active text;
  v_proposer public.members;
  v_actor text;
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
  select m.* into v_proposer from public.members m where m.person_id = private.person_of(p_actor) and m.status = 'active'
  order by lower(m.name) = lower(regexp_replace(p_actor, '^[a-z-]+:', '')) desc, m.added_at limit 1;
  v_actor := concat(v_proposer.role, ':', v_proposer.name);
  v_problem := case
    when v_active is null then 'Nothing is in force, so there is nothing to change: npm run ags -- policy activate.'
    -- Nobody approves what they asked for, so it must be known who asks.
    when v_proposer.member_id is null then 'Say which member proposes it: policy propose <file> --as <member>.'
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
    -- What changes is found here and not taken from whoever asks.
    v_report := p_report || private.policy_changes((private.active_policy()).body, p_body)
      || jsonb_build_object('policy_sha256', v_sha, 'body_sha256', private.policy_digest(p_body));
    v_report_sha := private.digest_json(v_report);
  exception when raise_exception then
    return private.refuse('invalid_request', p_actor, 'policy.propose', v_object, null, left(sqlerrm, 200));
  end;

  v_task_id := private.create_task(jsonb_build_object('source', 'policy', 'actor', v_actor, 'action', 'POLICY_CHANGE',
    'goal', format('Put policy version %s in force (%s): of %s decisions on record it would take %s more loosely and %s more strictly',
      p_body ->> 'version', left(v_sha, 12), coalesce(v_report ->> 'decisions', 'no'), coalesce(v_report ->> 'loosened', 'no'),
      coalesce(v_report ->> 'tightened', 'no')),
    'payload', jsonb_build_object('policy_sha256', v_sha, 'replay_sha256', v_report_sha, 'replaces', v_active, 'version', p_body ->> 'version',
      'decisions', v_report ->> 'decisions', 'not_reproduced', v_report ->> 'not_reproduced', 'loosened', v_report ->> 'loosened',
      'tightened', v_report ->> 'tightened', 'report', v_report)),
    v_tier, false, 'main:policy:' || left(v_sha, 32) || ':' || gen_random_uuid());
  perform private.act_as(v_actor, 'policy.propose');
  insert into public.policies (policy_sha256, version, policy_text, body, status, was_active, activated_by, proposed_at, proposed_by, task_id,
    replaces, report, report_sha256)
  values (v_sha, (p_body ->> 'version')::integer, p_text, p_body, 'proposed', false, 'nobody', private.now(), v_actor, v_task_id,
    v_active, v_report, v_report_sha)
  on conflict (policy_sha256) do update
    set status = 'proposed', version = excluded.version, body = excluded.body, proposed_at = excluded.proposed_at, proposed_by = excluded.proposed_by,
      task_id = excluded.task_id, replaces = excluded.replaces, report = excluded.report, report_sha256 = excluded.report_sha256, pending_at = null;
  return jsonb_build_object('policy_sha256', v_sha, 'status', 'proposed', 'changed', true, 'task_id', v_task_id, 'tier', v_tier,
    'replay_sha256', v_report_sha, 'changes', v_report -> 'changes');
end
$$;
comment on function api.propose_policy(text, jsonb, jsonb, text) is
  'Asks for another policy in a member''s name: keeps it as proposed and opens a POLICY_CHANGE task that is bound to what changes and to its replay report. The same proposal again is the same task. Refuses policy_invalid, invalid_request, unclassified_action. Administrator only.';
revoke all on function api.propose_policy(text, jsonb, jsonb, text) from public;
grant execute on function api.propose_policy(text, jsonb, jsonb, text) to administrator;

create function api.read_proposed_policy(p_policy_sha256 text) returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  v_found jsonb;
begin
  select jsonb_build_object('policy_sha256', p.policy_sha256, 'text', p.policy_text, 'body', p.body, 'body_sha256', private.policy_digest(p.body))
  into v_found from public.policies p where p.policy_sha256 = p_policy_sha256 and p.status = 'proposed';
  return coalesce(v_found, '{"refused": "not_found"}');
end
$$;
comment on function api.read_proposed_policy(text) is
  'The text of a proposal and the parsed body that this database would obey, with the body''s own hash, so that whoever rehearses it can compare them. Refuses not_found.';
revoke all on function api.read_proposed_policy(text) from public;
grant execute on function api.read_proposed_policy(text) to service_role;

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
