-- The promise of this file: an outcome that nobody saw is settled by a person who looked, in their name, and
-- by nothing else. Refuses: invalid_request, not_found, illegal_transition.

create function api.settle_effect(p_effect_id uuid, p_outcome text, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
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
comment on function api.settle_effect(uuid, text, text, text) is
  'A person''s word on an effect whose outcome was not seen: confirmed (its task goes on to the archive) or failed (its task ends). Refuses invalid_request, not_found, illegal_transition. Administrator only.';
revoke all on function api.settle_effect(uuid, text, text, text) from public;
grant execute on function api.settle_effect(uuid, text, text, text) to administrator;
