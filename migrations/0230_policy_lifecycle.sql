-- The promise of this file: a policy changes through the gates of every other T3 effect, waits until each function carries
-- its text and reads in it what the database reads, and then holds for all of them at once.
-- Refuses: policy_invalid, forbidden, invalid_request, unclassified_action.

alter table public.policies drop constraint policy_status_is_known, add constraint policy_status_is_known
  check (status in ('proposed', 'pending', 'active', 'retired', 'refused'));
alter table public.policies
  add column was_active boolean not null default true,
  add column proposed_at timestamptz,
  add column proposed_by text,
  add column task_id text references public.tasks (task_id),
  add column replaces text,
  add column report jsonb,
  add column report_sha256 text,
  add column pending_at timestamptz,
  add constraint what_holds_or_held_was_active check (status not in ('active', 'retired') or was_active),
  add constraint a_proposal_has_its_task_and_report
    check (status not in ('proposed', 'pending') or (task_id is not null and report is not null and report_sha256 is not null)),
  add constraint pending_since_somewhen check (status <> 'pending' or pending_at is not null);
comment on table public.policies is 'Every policy that was ever proposed or active, as text and parsed; exactly one is active, at most one is pending.';
comment on column public.policies.activated_at is 'When it last became the active one; for one that never was (was_active is false), when it was proposed.';
comment on column public.policies.replaces is 'The policy that was active when this one was proposed, and that its replay compares it with.';
create unique index policies_one_pending on public.policies (status) where status = 'pending';
create index policies_by_task on public.policies (task_id) where task_id is not null;

create function private.bundling_functions() returns text[]
language sql immutable set search_path = ''
as $$ select array['communicator', 'critic', 'intake', 'orchestrator', 'telegram-webhook'] $$;
comment on function private.bundling_functions() is 'The functions that carry the policy''s text; a policy waits for all of them.';

-- The hash of a parsed policy that both sides can make. A number has more than one spelling and canonical_json refuses it:
-- here it is the text n7, and the text 7 is s7, so that no two bodies share a form.
create function private.policy_form(p_body jsonb) returns jsonb
language plpgsql immutable set search_path = ''
as $$
begin
  return case jsonb_typeof(p_body)
    when 'object' then (select coalesce(jsonb_object_agg(e.key, private.policy_form(e.value)), '{}') from jsonb_each(p_body) e)
    when 'array' then (select coalesce(jsonb_agg(private.policy_form(a.value) order by a.ordinality), '[]')
      from jsonb_array_elements(p_body) with ordinality a)
    when 'number' then to_jsonb('n' || trim_scale((p_body #>> '{}')::numeric)::text)
    when 'string' then to_jsonb('s' || (p_body #>> '{}'))
    else p_body
  end;
end
$$;
create function private.policy_digest(p_body jsonb) returns text
language sql immutable strict set search_path = ''
as $$ select private.digest_json(private.policy_form(p_body)) $$;
comment on function private.policy_digest(jsonb) is 'sha256 of a parsed policy, the same that a function makes of what it reads in the text.';

-- One row per function and text, not per process: processes come and go by the thousand. Written once a minute by each
-- process, so the row itself is the record and has no audit trail of its own.
create table public.policy_bundles (
  function_name text not null,
  policy_sha256 text not null check (policy_sha256 ~ '^[0-9a-f]{64}$'),
  body_sha256 text check (body_sha256 ~ '^[0-9a-f]{64}$'),
  instance text not null check (length(instance) between 1 and 100),
  first_reported_at timestamptz not null default private.now(),
  reported_at timestamptz not null default private.now(),
  reports bigint not null default 1 check (reports > 0),
  primary key (function_name, policy_sha256),
  constraint function_carries_a_policy check (function_name = any (private.bundling_functions()))
);
comment on column public.policy_bundles.body_sha256 is 'private.policy_digest of what the function read in the text; null from one that does not say.';
comment on table public.policy_bundles is 'Which function has reported which policy as its own: first, last, how often, and the process that was last.';

-- Null when the caller's policy is the active one. Not active, and soon will be: wait. Neither active nor approved: nothing
-- makes it right but a decision, or another bundle.
create or replace function private.policy_problem(p_policy_sha256 text) returns text
language sql stable set search_path = ''
as $$
  select case
    when p_policy_sha256 is null or private.active_policy_sha256() is null then 'policy_invalid'
    when p_policy_sha256 = private.active_policy_sha256() then null
    when exists (select 1 from public.policies p where p.policy_sha256 = p_policy_sha256 and p.status = 'pending') then 'policy_not_active'
    else 'policy_not_approved'
  end
$$;

-- Makes a parsed policy the active one and fills the agent registry. Whoever calls it has decided that it may.
create function private.install_policy(p_text text, p_body jsonb, p_actor text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_sha text := private.sha256_hex(p_text);
  v_optional jsonb := case when jsonb_typeof(p_body -> 'optional_agents') = 'object' then p_body -> 'optional_agents' else '{}' end;
  v_body jsonb := p_body || jsonb_build_object('agents', p_body -> 'agents' || jsonb_strip_nulls(v_optional));
  v_agents jsonb := v_body -> 'agents';
  v_problem text := coalesce(private.policy_body_problem(p_body), private.policy_body_problem(v_body));
begin
  if v_sha is null or v_problem is not null then
    return private.refuse('policy_invalid', p_actor, 'policy.activate', 'policy:' || v_sha, null, coalesce(v_problem, 'There is no text.'));
  end if;
  lock table public.policies in share row exclusive mode;
  if v_sha = private.active_policy_sha256() then
    return jsonb_build_object('policy_sha256', v_sha, 'status', 'active', 'changed', false);
  end if;
  perform private.act_as(p_actor, 'policy.activate');
  update public.policies set status = 'retired' where status = 'active';
  insert into public.policies (policy_sha256, version, policy_text, body, activated_by)
  values (v_sha, (p_body ->> 'version')::integer, p_text, p_body, coalesce(p_actor, 'administrator'))
  on conflict (policy_sha256) do update
    set status = 'active', was_active = true, body = excluded.body, activated_at = private.now(), activated_by = excluded.activated_by;
  -- Versions are free before they are given out: two classes may trade theirs.
  update public.agents a set enabled = false, agent = null, updated_at = private.now()
  where a.agent is distinct from v_agents ->> a.agent_class and (a.enabled or a.agent is not null);
  insert into public.agents (agent_class, agent, tools, secrets_scope, enabled)
  select g.key, g.value #>> '{}', coalesce((select array_agg(t) from jsonb_array_elements_text(p_body -> 'tools' -> g.key) t), '{}'),
    g.key, true
  from jsonb_each(v_agents) g
  on conflict (agent_class) do update
    set agent = excluded.agent, tools = excluded.tools, enabled = true, updated_at = private.now();
  -- Registered without a version: known, and never dispatched.
  insert into public.agents (agent_class, agent, enabled) select o.key, null, false from jsonb_each(v_optional) o where o.value = 'null'
  on conflict (agent_class) do nothing;
  return jsonb_build_object('policy_sha256', v_sha, 'status', 'active', 'changed', true);
end
$$;
comment on function private.install_policy(text, jsonb, text) is
  'Puts a parsed policy in force and fills the agent registry, in the caller''s transaction. Refuses policy_invalid.';

create or replace function api.activate_policy(p_text text, p_body jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_active public.policies;
begin
  lock table public.policies in share row exclusive mode;
  v_active := private.active_policy();
  -- Three doors stay open: nothing is in force yet; this very text is; or what is in force is older than the second factor,
  -- and with it than POLICY_CHANGE: a database from then could not plan the task that would change it.
  if v_active.policy_sha256 is not null and v_active.policy_sha256 is distinct from private.sha256_hex(p_text) and v_active.body ? 'second_factor' then
    return private.refuse('forbidden', p_actor, 'policy.activate', 'policy:' || private.sha256_hex(p_text), null,
      'A policy is in force, and a task changes it: npm run ags -- policy propose <file>.');
  end if;
  return private.install_policy(p_text, p_body, p_actor)
    || case when v_active.policy_sha256 is null then '{"first": true}' else '{}' end::jsonb;
end
$$;
comment on function api.activate_policy(text, jsonb, text) is
  'Makes a checked policy the first one, or follows one that is older than POLICY_CHANGE. Refuses forbidden (a policy is changed by api.propose_policy), policy_invalid. Administrator only.';

-- The functions that have not carried this text since it became pending, or that read another policy in it than this
-- database would obey.
create function private.functions_waited_for(p_policy public.policies) returns text[]
language sql stable set search_path = ''
as $$
  with digest as materialized (select private.policy_digest(p_policy.body) as sha)
  select coalesce(array_agg(f order by f), '{}') from digest d, unnest(private.bundling_functions()) f
  where not exists (select 1 from public.policy_bundles b
    where b.function_name = f and b.policy_sha256 = p_policy.policy_sha256 and b.body_sha256 = d.sha and b.reported_at >= p_policy.pending_at)
$$;
comment on function private.functions_waited_for(public.policies) is
  'Functions that have not reported a pending policy, text and parsed body, since it was approved: an older report may be of a process that is gone.';

-- What was approved must still be what lies there: the text by its name, the parsed body by the report that was approved.
create function private.policy_altered(p_policy public.policies) returns boolean
language sql stable set search_path = ''
as $$
  select private.sha256_hex(p_policy.policy_text) <> p_policy.policy_sha256
    or private.digest_json(p_policy.report) is distinct from p_policy.report_sha256
    or p_policy.report ->> 'body_sha256' is distinct from private.policy_digest(p_policy.body)
$$;

-- Two functions that report in the same moment queue up on the lock: the second sees the first's row.
create function private.activate_pending(p_actor text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_policy public.policies;
  v_waits text[];
begin
  lock table public.policies in share row exclusive mode;
  select p.* into v_policy from public.policies p where p.status = 'pending';
  if v_policy.policy_sha256 is null then
    return jsonb_build_object('status', null);
  end if;
  if private.policy_altered(v_policy) then
    perform private.act_as(p_actor, 'policy.refuse');
    update public.policies p set status = case when p.was_active then 'retired' else 'refused' end where p.policy_sha256 = v_policy.policy_sha256;
    perform private.raise_alert('digest_drift', 'critical', 'policy:' || v_policy.policy_sha256, 'altered', 'as approved', v_policy.task_id);
    return private.refuse('digest_drift', p_actor, 'policy.activate', 'policy:' || v_policy.policy_sha256, v_policy.task_id);
  end if;
  v_waits := private.functions_waited_for(v_policy);
  if v_waits <> '{}' then
    return jsonb_build_object('policy_sha256', v_policy.policy_sha256, 'status', 'pending', 'waits_for', to_jsonb(v_waits));
  end if;
  -- It is no longer pending before another is retired for it: a policy is in force once.
  perform private.act_as(p_actor, 'policy.activate');
  return private.install_policy(v_policy.policy_text, v_policy.body, p_actor) || jsonb_build_object('waits_for', '[]'::jsonb);
end
$$;
comment on function private.activate_pending(text) is
  'Puts the pending policy in force when every function carries it, in one transaction; else says who is missing.';

create function api.report_bundle(p_function text, p_instance text, p_policy_sha256 text, p_body_sha256 text default null) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_pending public.policies;
begin
  if p_function is null or p_function <> all (private.bundling_functions()) or coalesce(length(p_instance), 0) not between 1 and 100
    or coalesce(p_policy_sha256, repeat('0', 64)) !~ '^[0-9a-f]{64}$' or coalesce(p_body_sha256, repeat('0', 64)) !~ '^[0-9a-f]{64}$' then
    return private.refuse('invalid_request', left(p_function, 64), 'policy.report', 'bundle:' || left(p_function, 64), null,
      'A function that carries the policy reports its name, its process and the sha256 of its text and of what it reads in it.');
  end if;
  -- A bundle without a readable policy has nothing to report; it is told what it is.
  if p_policy_sha256 is not null then
    insert into public.policy_bundles as b (function_name, policy_sha256, body_sha256, instance)
    values (p_function, p_policy_sha256, p_body_sha256, p_instance)
    on conflict (function_name, policy_sha256) do update
      set body_sha256 = excluded.body_sha256, instance = excluded.instance, reported_at = private.now(), reports = b.reports + 1;
    select p.* into v_pending from public.policies p where p.policy_sha256 = p_policy_sha256 and p.status = 'pending';
    if v_pending.policy_sha256 is not null then
      -- It waits until somebody has looked: either the release reads this text differently, or somebody proposed another body.
      if p_body_sha256 <> private.policy_digest(v_pending.body) then
        perform private.raise_alert('digest_drift', 'critical', 'policy:' || p_policy_sha256, p_function || ' reads another policy in this text',
          'as approved', v_pending.task_id);
      end if;
      perform private.activate_pending(p_function);
    end if;
  end if;
  return (
    select jsonb_build_object('problem', private.policy_problem(p_policy_sha256), 'policy_sha256', p_policy_sha256,
      'active', private.active_policy_sha256(), 'pending', (select p.policy_sha256 from public.policies p where p.status = 'pending'),
      'waits_for', (select to_jsonb(private.functions_waited_for(p)) from public.policies p where p.status = 'pending')));
end
$$;
comment on function api.report_bundle(text, text, text, text) is
  'A process says which policy it carries and what it reads in it, at boot and then once a minute; the last one awaited puts a pending policy in force. Answers whether the caller may plan, decide and reserve (problem is null), else why not. Refuses invalid_request.';
revoke all on function api.report_bundle(text, text, text, text) from public;
grant execute on function api.report_bundle(text, text, text, text) to service_role;

select private.close_table('public.policy_bundles');
select private.allow_members('public.policy_bundles', 'owner', 'operator', 'reviewer');
