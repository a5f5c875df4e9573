-- The promise of this file: an outcome that nobody saw is settled by the word of a person who did not ask for the effect; T3
-- effects have a switch that an owner turns on, with a second factor, and that an owner or operator turns off.
-- Refuses: wrong_role, self_approval, not_found, invalid_request, illegal_transition, forbidden, and what the second factor refuses.

create function private.settle_effect(p_effect_id uuid, p_outcome text, p_reason text, p_actor text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_effect public.effects;
begin
  if coalesce(p_outcome, '') not in ('confirmed', 'failed') or coalesce(length(p_reason), 0) not between 1 and 500 or coalesce(p_actor, '') = '' then
    return private.refuse('invalid_request', p_actor, 'effect.settle', 'effect:' || p_effect_id, null,
      'An outcome is settled as confirmed or failed, by somebody, with a reason.');
  end if;
  perform 1 from public.tasks t where t.task_id = (select e.task_id from public.effects e where e.effect_id = p_effect_id) for no key update;
  select e.* into v_effect from public.effects e where e.effect_id = p_effect_id for update;
  if v_effect.effect_id is null then
    return private.refuse('not_found', p_actor, 'effect.settle', 'effect:' || p_effect_id);
  end if;
  if v_effect.status <> 'unknown' then
    return private.refuse('illegal_transition', p_actor, 'effect.settle', 'effect:' || p_effect_id, v_effect.task_id, null,
      jsonb_build_object('status', v_effect.status));
  end if;
  perform private.act_as(p_actor, 'effect.settle');
  if p_outcome = 'confirmed' then
    update public.tasks t set status = 'publishing', reason = null where t.task_id = v_effect.task_id;
  else
    update public.task_steps s set status = 'failed', ended_at = private.now() where s.step_id = v_effect.step_id;
  end if;
  perform private.close_effect(p_effect_id, p_outcome, jsonb_build_object('settled_by', p_actor, 'reason', p_reason));
  if p_outcome = 'failed' then
    perform private.end_task(v_effect.task_id, 'failed', 'effect_unknown');
  end if;
  return jsonb_build_object('effect_id', p_effect_id, 'status', p_outcome, 'task_id', v_effect.task_id,
    'task_status', (select t.status from public.tasks t where t.task_id = v_effect.task_id));
end
$$;
comment on function private.settle_effect(uuid, text, text, text) is 'A person''s word on an unknown outcome, from the terminal and from Telegram alike.';

create or replace function api.settle_effect(p_effect_id uuid, p_outcome text, p_reason text, p_actor text) returns jsonb
language sql volatile security definer set search_path = ''
as $$ select private.settle_effect(p_effect_id, p_outcome, p_reason, p_actor) $$;

-- The one effect whose id begins like this, or null: also where there are several.
create function private.effect_named(p_prefix text) returns public.effects
language sql stable set search_path = ''
as $$
  select (array_agg(e))[1]
  from (select case when replace(lower(p_prefix), '-', '') ~ '^[0-9a-f]{8,32}$' then replace(lower(p_prefix), '-', '') end as hex) h
  join public.effects e on e.effect_id between rpad(h.hex, 32, '0')::uuid and rpad(h.hex, 32, 'f')::uuid
  having count(*) = 1
$$;
comment on function private.effect_named(text) is 'An effect by its id or at least the first eight digits of it, if they are one effect''s alone.';

create function private.on_resolve(p_member public.members, p_intent jsonb, p_channel text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_actor text := private.actor_of(p_member);
  v_effect public.effects := private.effect_named(p_intent ->> 'effect');
  v_task public.tasks;
  v_reason text := coalesce(nullif(left(btrim(p_intent ->> 'reason'), 500), ''), 'looked at, no more was said');
  v_code text;
  v_settled jsonb;
begin
  select t.* into v_task from public.tasks t where t.task_id = v_effect.task_id;
  v_code := case
    when p_member.role not in ('owner', 'operator') then 'wrong_role'
    when coalesce(p_intent ->> 'outcome', '') not in ('done', 'not-done') then 'invalid_request'
    when v_effect.effect_id is null then 'not_found'
    when p_member.person_id in (v_task.requester_person_id, private.person_of(v_task.actor)) then 'self_approval'
  end;
  if v_code is not null then
    return private.refuse(v_code, v_actor, 'effect.settle', 'effect:' || coalesce(v_effect.effect_id::text, left(p_intent ->> 'effect', 40), '?'),
      v_task.task_id, null, jsonb_build_object('id', left(p_intent ->> 'effect', 40)));
  end if;
  v_settled := private.settle_effect(v_effect.effect_id, case p_intent ->> 'outcome' when 'done' then 'confirmed' else 'failed' end, v_reason, v_actor);
  if v_settled ? 'refused' then
    return v_settled || jsonb_build_object('id', v_effect.effect_id);
  end if;
  perform private.announce(jsonb_build_object('topic', 'effect_resolved', 'task_id', v_task.task_id, 'effect_id', v_effect.effect_id,
    'state', p_intent ->> 'outcome', 'by', v_actor, 'reason', v_reason), array['owner', 'operator'], v_task.task_id);
  return v_settled || jsonb_build_object('reply', 'resolved', 'state', p_intent ->> 'outcome');
end
$$;

-- Off holds like a stop: no T3 effect starts after its commit.
create function private.write_flag(p_key text, p_enabled boolean, p_reason text, p_actor text) returns void
language plpgsql set search_path = ''
as $$
begin
  if p_key = 't3_execution_enabled' and not p_enabled then
    perform private.hold_stop_lock();
  end if;
  perform private.act_as(p_actor, 'flag.set');
  insert into public.feature_flags as f (key, enabled, updated_by, reason) values (p_key, p_enabled, p_actor, left(p_reason, 500))
  on conflict (key) do update set enabled = excluded.enabled, updated_by = excluded.updated_by, reason = excluded.reason, updated_at = private.now();
end
$$;

create or replace function api.set_flag(p_key text, p_enabled boolean, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  if coalesce(p_key, '') !~ '^[a-z][a-z0-9_]{0,63}$' or coalesce(p_reason, '') = '' or p_enabled is null then
    return private.refuse('invalid_request', p_actor, 'flag.set', 'flag:' || left(p_key, 64), null, 'A flag has a lower-case name, on or off, and a reason.');
  end if;
  if p_key = 't3_execution_enabled' and p_enabled then
    return private.refuse('forbidden', p_actor, 'flag.set', 'flag:' || p_key, null,
      'T3 execution is switched on by an owner, with a second factor: /t3 on.');
  end if;
  perform private.write_flag(p_key, p_enabled, p_reason, coalesce(p_actor, 'administrator'));
  return jsonb_build_object('key', p_key, 'enabled', p_enabled);
end
$$;
comment on function api.set_flag(text, boolean, text, text) is
  'Sets a feature flag, audited; t3_execution_enabled only off. Refuses invalid_request, forbidden. Administrator only.';

create function private.on_t3(p_member public.members, p_intent jsonb, p_channel text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_actor text := private.actor_of(p_member);
  v_on boolean := p_intent ->> 'state' = 'on';
  v_was boolean := coalesce((select f.enabled from public.feature_flags f where f.key = 't3_execution_enabled'), false);
  v_code text;
  v_released integer := 0;
begin
  v_code := case
    when coalesce(p_intent ->> 'state', '') not in ('on', 'off') then 'invalid_request'
    when p_member.role not in ('owner', 'operator') or (v_on and p_member.role <> 'owner') or not private.still_stands(p_member) then 'wrong_role'
  end;
  -- Last, so that a refusal for another reason does not use the code up.
  if v_code is null and v_on and not v_was then
    v_code := private.second_factor_problem(p_member, 'T3', nullif(p_intent -> 'second_factor', 'null'));
  end if;
  if v_code is not null then
    return private.refuse(v_code, v_actor, 'flag.set', 'flag:t3_execution_enabled');
  end if;
  if v_was is distinct from v_on then
    perform private.write_flag('t3_execution_enabled', v_on, 'by /t3 ' || (p_intent ->> 'state'), v_actor);
    perform private.announce_to_all(jsonb_build_object('topic', 't3_switched', 'state', p_intent ->> 'state', 'by', v_actor));
  end if;
  if v_on then
    v_released := private.release_held();
    perform private.wake_waiting(array['t3_execution_disabled']);
  end if;
  return jsonb_build_object('reply', 't3', 'state', p_intent ->> 'state', 'changed', v_was is distinct from v_on, 'released', v_released);
end
$$;
comment on function private.on_t3(public.members, jsonb, text) is
  'An owner with a second factor switches T3 effects on, and what was held goes on; an owner or operator switches them off.';

-- An earlier release let the administrator write this flag, and nothing read it. It ships off.
update public.feature_flags set enabled = false, updated_by = 'migration', reason = 'an owner switches it on: /t3 on', updated_at = private.now()
where key = 't3_execution_enabled' and enabled;
