-- The promise of this file: what loosens a stop takes two people, an owner among them, and a code that counts once and for a
-- quarter of an hour at most; breaking the glass lets one effect of one task through and nothing else, and owners hear of it.
-- Refuses: wrong_role, invalid_request, not_found, unknown_confirmation, confirmation_expired, dual_control_violation,
-- self_approval, local_decision, break_glass_invalid, and what the second factor refuses.

create table public.break_glass_grants (
  grant_id uuid primary key default gen_random_uuid(),
  confirmation_id uuid not null unique references public.confirmations (confirmation_id),
  task_id text not null references public.tasks (task_id),
  asked_by uuid not null references public.members (member_id),
  confirmed_by uuid not null references public.members (member_id),
  reason text not null,
  granted_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  effect_id uuid references public.effects (effect_id),
  voided_at timestamptz,
  constraint two_accounts_break_a_glass check (asked_by <> confirmed_by),
  constraint grant_lasts_at_most_15_minutes check (expires_at <= granted_at + interval '15 minutes'),
  constraint used_exactly_for_an_effect check ((used_at is null) = (effect_id is null))
);
comment on table public.break_glass_grants is 'Each lets one effect of one task start despite a stop, once; who asked, who confirmed, why, until when, and what it was used for.';
create unique index break_glass_grants_one_per_task on public.break_glass_grants (task_id) where used_at is null and voided_at is null;
create index break_glass_grants_by_task on public.break_glass_grants (task_id);
create index break_glass_grants_by_asker on public.break_glass_grants (asked_by);
create index break_glass_grants_by_confirmer on public.break_glass_grants (confirmed_by);
create index break_glass_grants_by_effect on public.break_glass_grants (effect_id) where effect_id is not null;

create trigger _100_filled_in_once before update or delete on public.break_glass_grants
  for each row execute function private.refuse_rewriting('used_at', 'effect_id', 'voided_at');

-- Both people still members in a role that may ask, still two, an owner among them; not used up, not late, not overtaken by a stop.
create function private.live_grant(p_task_id text) returns public.break_glass_grants
language sql stable set search_path = ''
as $$
  select g from public.break_glass_grants g
  join public.members a on a.member_id = g.asked_by and a.status = 'active' and a.role in ('owner', 'operator')
  join public.members c on c.member_id = g.confirmed_by and c.status = 'active' and c.role in ('owner', 'operator')
  where g.task_id = p_task_id and g.voided_at is null and g.expires_at > private.now() and a.person_id <> c.person_id
    and 'owner' in (a.role, c.role)
    and case when g.used_at is null
      then not exists (select 1 from public.effects e where e.task_id = g.task_id and e.status <> 'reserved')
      else exists (select 1 from public.effects e where e.effect_id = g.effect_id and e.status = 'reserved') end
  limit 1
$$;

create function private.use_break_glass(p_task_id text) returns void
language plpgsql set search_path = ''
as $$
declare
  v_task public.tasks;
  v_grant public.break_glass_grants;
begin
  select t.* into v_task from public.tasks t where t.task_id = p_task_id;
  if not private.stop_holds(v_task) then
    return;
  end if;
  v_grant := private.live_grant(p_task_id);
  if v_grant.grant_id is null then
    raise exception 'task % is stopped', p_task_id;
  elsif v_grant.used_at is null then
    update public.break_glass_grants g set used_at = private.now(),
      effect_id = (select e.effect_id from public.effects e where e.task_id = p_task_id and e.status = 'reserved')
    where g.grant_id = v_grant.grant_id returning * into v_grant;
    perform private.announce(jsonb_build_object('topic', 'break_glass_used', 'task_id', p_task_id, 'effect_id', v_grant.effect_id,
      'reason', v_grant.reason), array['owner'], p_task_id);
  end if;
end
$$;
comment on function private.use_break_glass(text) is
  'Uses the grant up for the task''s reserved effect, in the transaction that reserves or starts it, where a stop would have refused; raises where there is none.';

create function private.void_permissions() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_asked integer;
  v_granted integer;
begin
  update public.confirmations c set outcome = 'voided', closed_at = private.now() where c.outcome is null and c.expires_at > private.now();
  get diagnostics v_asked = row_count;
  -- Used ones too: what was reserved under them has not left yet.
  update public.break_glass_grants g set voided_at = private.now() where g.voided_at is null and g.expires_at > private.now();
  get diagnostics v_granted = row_count;
  return v_asked + v_granted;
end
$$;

-- What stands in the way of breaking the glass for a task, asked and again when confirmed; null when nothing does.
create function private.glass_problem(p_task public.tasks, p_person_id uuid, p_channel text) returns text
language sql stable set search_path = ''
as $$
  select case
    when p_task.task_id is null then 'not_found'
    -- A person who was only simulated opens no way to the outside.
    when p_channel = 'local-simulated' then 'local_decision'
    when p_person_id in (p_task.requester_person_id, private.person_of(p_task.actor)) then 'self_approval'
    when p_task.ended_at is not null or not private.stop_holds(p_task) or (private.live_grant(p_task.task_id)).grant_id is not null
      or exists (select 1 from public.effects e where e.task_id = p_task.task_id and e.status <> 'reserved') then 'break_glass_invalid'
  end
$$;

create function private.refuse_glass(p_code text, p_member public.members, p_action text, p_object text, p_task_id text) returns jsonb
language plpgsql set search_path = ''
as $$
begin
  perform private.announce(jsonb_build_object('topic', 'break_glass_refused', 'task_id', p_task_id, 'by', private.actor_of(p_member),
    'reason', p_code), array['owner'], p_task_id);
  return private.refuse(p_code, private.actor_of(p_member), p_action, p_object, p_task_id);
end
$$;

-- Whoever waited for a lock may have been removed or demoted meanwhile.
create function private.still_stands(p_member public.members) returns boolean
language plpgsql set search_path = ''
as $$
begin
  perform 1 from public.members m where m.member_id = p_member.member_id and m.status = 'active' and m.role = p_member.role for share;
  return found;
end
$$;
comment on function private.still_stands(public.members) is 'Whether the member is still who they were when their message was read; held until the transaction ends.';

create function private.wake_waiting(p_codes text[]) returns void
language sql volatile set search_path = ''
as $$
  update public.task_steps s set run_at = private.now()
  where s.status = 'ready' and s.last_code = any (p_codes) and s.run_at > private.now()
$$;
comment on function private.wake_waiting(text[]) is 'What waited for this is looked at now.';

create function private.on_breakglass(p_member public.members, p_intent jsonb, p_channel text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_reason text := nullif(left(btrim(p_intent ->> 'reason'), 500), '');
  v_task public.tasks;
  v_code text;
begin
  perform private.hold_stop_lock();
  select t.* into v_task from public.tasks t
  where t.task_id = coalesce((select r.task_id from public.approval_requests r where r.code = p_intent ->> 'id'), p_intent ->> 'id');
  v_code := case
    when p_member.role not in ('owner', 'operator') or not private.still_stands(p_member) then 'wrong_role'
    when v_reason is null then 'invalid_request'
    else private.glass_problem(v_task, p_member.person_id, p_channel) end;
  if v_code is not null then
    return private.refuse_glass(v_code, p_member, 'break_glass.ask', 'task:' || coalesce(v_task.task_id, left(p_intent ->> 'id', 40), '?'), v_task.task_id);
  end if;
  return private.confirmation_json(private.ask_confirmation(p_member, 'break_glass', null, v_task.task_id, v_reason, p_channel), 'confirmation');
end
$$;

create function private.confirmation_problem(p_asked public.confirmations, p_member public.members, p_channel text) returns text
language sql stable set search_path = ''
as $$
  select case
    when p_member.person_id in (p_asked.asked_person_id, a.person_id) then 'dual_control_violation'
    -- Whoever asked must still be who they were, and one of the two an owner.
    when a.status is distinct from 'active' or a.role <> p_asked.asked_role or 'owner' not in (a.role, p_member.role) then 'wrong_role'
    when p_asked.kind = 'break_glass' then private.glass_problem(
      (select t from public.tasks t where t.task_id = p_asked.task_id), p_member.person_id, p_channel)
  end
  from (select 1) one left join public.members a on a.member_id = p_asked.asked_by
$$;

create function private.on_confirm(p_member public.members, p_intent jsonb, p_channel text) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_actor text := private.actor_of(p_member);
  v_now timestamptz;
  v_asked public.confirmations;
  v_code text;
  v_yes boolean := p_intent ->> 'decision' = 'approve';
begin
  perform private.hold_stop_lock();
  v_now := private.now();
  select c.* into v_asked from public.confirmations c where c.code = p_intent ->> 'code' for update;
  v_code := case
    when p_member.role not in ('owner', 'operator') or not private.still_stands(p_member) then 'wrong_role'
    when coalesce(p_intent ->> 'decision', '') not in ('approve', 'reject') then 'invalid_request'
    when v_asked.outcome = 'expired' or (v_asked.outcome is null and v_asked.expires_at <= v_now) then 'confirmation_expired'
    when v_asked.confirmation_id is null or v_asked.outcome is not null then 'unknown_confirmation'
    when v_yes then private.confirmation_problem(v_asked, p_member, p_channel)
  end;
  -- Last, so that a refusal for another reason does not use the code up. A no is the safe direction and needs none.
  if v_code is null and v_yes then
    v_code := private.second_factor_problem(p_member, 'T3', nullif(p_intent -> 'second_factor', 'null'));
  end if;
  if v_code is not null and v_asked.kind = 'break_glass' then
    return private.refuse_glass(v_code, p_member, 'break_glass.confirm', 'confirmation:' || v_asked.confirmation_id, v_asked.task_id);
  elsif v_code is not null then
    return private.refuse(v_code, v_actor, 'confirmation.confirm', 'confirmation:' || coalesce(v_asked.confirmation_id::text, left(p_intent ->> 'code', 20), '?'));
  end if;
  perform private.act_as(v_actor, v_asked.kind || case when v_yes then '.confirm' else '.decline' end);
  update public.confirmations c set outcome = case when v_yes then 'confirmed' else 'declined' end, closed_at = v_now, closed_by = p_member.member_id
  where c.confirmation_id = v_asked.confirmation_id;
  if not v_yes then
    perform private.announce(jsonb_build_object('topic', v_asked.kind || '_declined', 'code', v_asked.code, 'scope', v_asked.scope,
      'task_id', v_asked.task_id, 'by', v_actor), array['owner', 'operator'], v_asked.task_id);
    return private.confirmation_json(v_asked, 'declined');
  end if;
  if v_asked.kind = 'break_glass' then
    return private.grant_break_glass(v_asked, p_member, v_now);
  end if;
  insert into public.emergency_stops as e (scope, state, changed_at, changed_by, reason) values (v_asked.scope, 'running', v_now, v_actor, v_asked.reason)
  on conflict (scope) do update set state = excluded.state, changed_at = excluded.changed_at, changed_by = excluded.changed_by, reason = excluded.reason;
  perform private.wake_waiting(array['stopped']);
  perform private.announce_to_all(jsonb_build_object('topic', 'resumed', 'scope', v_asked.scope, 'by', v_actor, 'reason', v_asked.reason));
  return jsonb_build_object('reply', 'resumed', 'code', v_asked.code, 'scope', v_asked.scope,
    'still_stopped', (select jsonb_agg(s) from unnest(array['all', 't3']) s where private.is_stopped(s)));
end
$$;

create function private.grant_break_glass(p_asked public.confirmations, p_member public.members, p_now timestamptz) returns jsonb
language plpgsql set search_path = ''
as $$
declare
  v_expires timestamptz := p_now + private.minutes('break_glass_minutes');
begin
  -- One that lapsed unused makes room.
  update public.break_glass_grants g set voided_at = p_now where g.task_id = p_asked.task_id and g.used_at is null and g.voided_at is null;
  insert into public.break_glass_grants (confirmation_id, task_id, asked_by, confirmed_by, reason, granted_at, expires_at)
  values (p_asked.confirmation_id, p_asked.task_id, p_asked.asked_by, p_member.member_id, p_asked.reason, p_now, v_expires);
  perform private.announce(jsonb_build_object('topic', 'break_glass_granted', 'task_id', p_asked.task_id, 'by', private.actor_of(p_member),
    'reason', p_asked.reason, 'expires_at', private.iso(v_expires)), array['owner'], p_asked.task_id);
  return jsonb_build_object('reply', 'break_glass_granted', 'code', p_asked.code, 'task_id', p_asked.task_id, 'expires_at', private.iso(v_expires));
end
$$;

select private.close_table('public.break_glass_grants');
select private.allow_members('public.break_glass_grants', 'owner', 'operator', 'reviewer');
select private.audit('public.break_glass_grants', 'break_glass', 'grant_id');
