-- The promise of this file: what nearly every transition looks up is planned once a session, and says what it said before.
-- Refuses: nothing.

-- A function in sql that pins its search_path cannot be inlined and is planned in every statement that calls it, which costs
-- more than these small looks themselves; plpgsql keeps the plan. private.now() stays as it is: a law compares it.

create or replace function private.act_as(p_actor text, p_action text) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  perform set_config('dags.actor', p_actor, true), set_config('dags.action', p_action, true);
end
$$;

create or replace function private.active_policy_sha256() returns text
language plpgsql stable set search_path = ''
as $$
begin
  return (select p.policy_sha256 from public.policies p where p.status = 'active');
end
$$;

create or replace function private.policy_value(variadic p_path text[]) returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return (select p.body #> p_path from public.policies p where p.status = 'active');
end
$$;

create or replace function private.policy_number(p_default numeric, variadic p_path text[]) returns numeric
language plpgsql stable set search_path = ''
as $$
begin
  return coalesce((select (p.body #>> p_path)::numeric from public.policies p where p.status = 'active'), p_default);
end
$$;

-- A plan asks for the tier of an action two dozen times, and each look unpacked the whole policy (a fifth of planning). What
-- the body says stands beside it, made of it by the server, so that it can neither be late nor be forgotten by a restore.
create function private.tiers_of(p_body jsonb) returns jsonb
language sql immutable set search_path = ''
as $$
  with object as (
    select case when jsonb_typeof(p_body -> k) = 'object' then p_body -> k else '{}' end as value, k from unnest(array['risk_tiers', 'platform_actions']) k
  ), named as (
    select e.value #>> '{}' as action, t.key as tier
    from object o, jsonb_each(o.value) t, jsonb_array_elements(case when jsonb_typeof(t.value) = 'array' then t.value else '[]' end) e
    where o.k = 'risk_tiers' and jsonb_typeof(e.value) = 'string'
    union all
    select a.key, a.value ->> 'tier' from object o, jsonb_each(o.value) a where o.k = 'platform_actions' and a.value ->> 'tier' is not null
  )
  select coalesce(jsonb_object_agg(n.action, n.tier), '{}') from (select n.action, max(n.tier) as tier from named n group by n.action) n
$$;
comment on function private.tiers_of(jsonb) is 'The tier of each action that a policy names; named twice, the stricter.';
alter table public.policies add column tiers jsonb generated always as (private.tiers_of(body)) stored;

create or replace function private.action_tier(p_action text) returns text
language plpgsql stable set search_path = ''
as $$
begin
  return (select p.tiers ->> p_action from public.policies p where p.status = 'active');
end
$$;

create or replace function private.effective_tier(p_task public.tasks) returns text
language plpgsql stable set search_path = ''
as $$
begin
  return greatest(p_task.risk_tier, coalesce(private.action_tier(p_task.action), 'T3'));
end
$$;

create or replace function private.raised_tier(p_task public.tasks) returns text
language plpgsql stable set search_path = ''
as $$
declare
  v_own text := coalesce(private.action_tier(p_task.action), 'T3');
begin
  return nullif(greatest(p_task.risk_tier, v_own), v_own);
end
$$;

create or replace function private.person_of(p_actor text) returns uuid
language plpgsql stable set search_path = ''
as $$
begin
  return (select m.person_id from public.members m
    where case when p_actor ~ '^telegram:' then m.telegram_user_id = substr(p_actor, 10)
      else lower(m.name) = lower(regexp_replace(p_actor, '^[a-z-]+:', '')) or m.member_id::text = p_actor end
    order by m.status = 'active' desc, m.added_at desc limit 1);
end
$$;

create or replace function private.agent_class_of(p_agent text) returns text
language plpgsql stable set search_path = ''
as $$
begin
  return case when p_agent in ('human', 'orchestrator') then p_agent
    else (select a.agent_class from public.agents a where a.enabled and p_agent in (a.agent_class, a.agent) limit 1) end;
end
$$;

create or replace function private.input_hash(p_task_id text, p_waits_for text[]) returns text
language plpgsql stable set search_path = ''
as $$
begin
  return (select left(private.sha256_hex(t.payload_json::text || coalesce((
      select string_agg('|' || s.node_id || ':' || a.checksum, '' order by s.node_id collate "C", a.checksum collate "C")
      from public.task_steps s join public.artifacts a on a.step_id = s.step_id
      where s.task_id = p_task_id and s.node_id = any (p_waits_for)), '')), 32)
    from public.tasks t where t.task_id = p_task_id);
end
$$;

-- The steps are looked up within the task: a join over all steps walked the table for every step that was handed out.
create or replace function private.task_inputs(p_task_id text) returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return (select coalesce(jsonb_agg(jsonb_build_object('node_id', (select s.node_id from public.task_steps s where s.step_id = a.step_id),
      'agent', a.agent, 'artifact_id', a.artifact_id, 'type', a.type, 'storage_ref', a.storage_ref, 'checksum', a.checksum,
      'content', a.content) order by a.created_at, a.artifact_id), '[]')
    from (select distinct on (b.step_id, b.type) b.* from public.artifacts b where b.task_id = p_task_id
      order by b.step_id, b.type, b.created_at desc, b.artifact_id desc) a);
end
$$;

create or replace function private.sha256_hex(p_text text) returns text
language plpgsql immutable strict parallel safe set search_path = ''
as $$
begin
  return encode(sha256(convert_to(p_text, 'UTF8')), 'hex');
end
$$;

create or replace function private.iso(p_ts timestamptz) returns text
language plpgsql immutable strict parallel safe set search_path = ''
as $$
begin
  return to_char(p_ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
end
$$;

create or replace function private.storable(p_result jsonb) returns boolean
language plpgsql immutable set search_path = ''
as $$
begin
  if p_result = '{}' then
    return true;
  end if;
  return coalesce(jsonb_typeof(p_result) = 'object'
    and (coalesce(p_result -> 'artifact', 'null') = 'null' or (jsonb_typeof(p_result -> 'artifact') = 'object'
      and p_result #>> '{artifact,type}' ~ '^[a-z][a-z0-9_]{0,31}$' and p_result #>> '{artifact,type}' <> 'post'
      and length(p_result #>> '{artifact,media_type}') between 3 and 100
      and jsonb_typeof(p_result #> '{artifact,content}') = 'string' and octet_length(p_result #>> '{artifact,content}') <= 262144))
    and (coalesce(p_result -> 'post', 'null') = 'null' or (jsonb_typeof(p_result -> 'post') = 'string'
      and p_result -> 'artifact' is not null and length(p_result ->> 'post') between 1 and 16384))
    and (coalesce(p_result -> 'output', 'null') = 'null' or octet_length(p_result ->> 'output') <= 65536)
    and case jsonb_typeof(coalesce(p_result -> 'quality_score', 'null')) when 'null' then true
      when 'number' then (p_result ->> 'quality_score')::numeric between 0 and 1 else false end, false);
end
$$;

create or replace function private.emit(
  p_type text, p_task_id text, p_agent text, p_key text, p_payload jsonb default '{}', p_tenant text default 'main'
) returns void
language plpgsql volatile set search_path = ''
as $$
begin
  insert into public.events (task_id, type, agent, idempotency_key, payload_json, tenant_id, schema_version)
  values (p_task_id, p_type, p_agent, p_key, p_payload, p_tenant, case when p_type in
    ('TASK_CREATED', 'STEP_READY', 'STEP_DONE', 'NEED_APPROVAL', 'PUBLISH_OK', 'INCIDENT_RAISED') then '1.0' else '1.1' end)
  on conflict (idempotency_key) do nothing;
end
$$;

create or replace function private.consumer_is_paused(p_consumer text) returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return coalesce((select c.paused from public.event_consumers c where c.consumer = p_consumer), false);
end
$$;
