-- The promise of this file: where a tier demands it, a yes needs a code that only the member's own device shows. A code counts
-- once, and guessing locks. Seeds are kept sealed under a key that the database does not have.
-- Refuses: invalid_request, not_found. What private.second_factor_problem finds, its caller refuses: second_factor_required,
-- second_factor_wrong, second_factor_locked.

create table private.second_factors (
  member_id uuid primary key references public.members (member_id),
  ciphertext text,
  enrolled_at timestamptz not null default private.now(),
  enrolled_by text not null,
  last_step bigint,
  wrong_at timestamptz[] not null default '{}',
  -- AES-GCM: 12 bytes of IV, 20 of seed, 16 of tag. A seed in clear does not fit.
  constraint a_seed_is_sealed check (ciphertext ~ '^[A-Za-z0-9+/]{64}$')
);
comment on table private.second_factors is
  'The sealed seed of a member''s authenticator (null once removed), the last time step that was used, and when codes were wrong.';

-- T3 demands it whatever the policy says; the policy may add tiers. A tier that nobody can name demands it too.
create function private.second_factor_demanded(p_tier text) returns boolean
language sql stable set search_path = ''
as $$
  select p_tier is null or p_tier = 'T3' or coalesce(private.policy_value('second_factor', 'required') ? p_tier, false)
$$;
comment on function private.second_factor_demanded(text) is 'Whether a yes in this tier needs a code.';

-- Null when the code that the door has compared counts, else the code of the refusal. p_proof is {"valid": boolean, "step": n};
-- "valid" is null where the door could not open the seed, which is nobody's wrong guess. A no is never asked for one: refusing
-- is the safe direction, and a person whose device is lost or stolen must be able to stop what they approved.
create function private.second_factor_problem(p_member public.members, p_tier text, p_proof jsonb) returns text
language plpgsql volatile set search_path = ''
as $$
declare
  v_factor private.second_factors;
  v_now timestamptz;
  v_step bigint;
  v_allowed integer := greatest(private.policy_number(5, 'second_factor', 'wrong_codes'), 1);
  v_window interval := make_interval(mins => private.policy_number(15, 'second_factor', 'window_minutes')::integer);
  v_wrong timestamptz[];
begin
  if not private.second_factor_demanded(p_tier) then
    return null;
  end if;
  -- The lock makes the second of two messages with one code wait, and then find it used.
  select f.* into v_factor from private.second_factors f where f.member_id = p_member.member_id for update;
  if v_factor.ciphertext is null or jsonb_typeof(p_proof) is distinct from 'object' then
    return 'second_factor_required';
  end if;
  v_now := private.now();
  v_wrong := array(select w from unnest(v_factor.wrong_at) w where w > v_now - v_window order by w);
  if cardinality(v_wrong) >= v_allowed then
    return 'second_factor_locked';
  end if;
  if jsonb_typeof(p_proof -> 'valid') is distinct from 'boolean' then
    perform private.raise_alert('second_factor_unreadable', 'critical', 'member:' || p_member.name, null, null, null);
    return 'second_factor_required';
  end if;
  -- The step is looked at again by this clock: a door whose clock is off, or a proof that was kept, is no proof of now.
  v_step := case when p_proof ->> 'valid' = 'true' and p_proof ->> 'step' ~ '^[0-9]{1,12}$' then (p_proof ->> 'step')::bigint end;
  if abs(v_step - floor(extract(epoch from v_now) / 30)) <= 1 and v_step > coalesce(v_factor.last_step, 0) then
    update private.second_factors f set last_step = v_step where f.member_id = p_member.member_id;
    return null;
  end if;
  v_wrong := v_wrong || v_now;
  update private.second_factors f set wrong_at = v_wrong where f.member_id = p_member.member_id;
  if cardinality(v_wrong) >= v_allowed then
    perform private.raise_alert('second_factor_locked', 'critical', 'member:' || p_member.name, cardinality(v_wrong)::text, v_allowed::text, null);
  end if;
  return 'second_factor_wrong';
end
$$;
comment on function private.second_factor_problem(public.members, text, jsonb) is
  'Uses up one code or counts one wrong one. Null, second_factor_required, second_factor_wrong or second_factor_locked.';

create function private.active_member(p_member text) returns public.members
language sql stable set search_path = ''
as $$
  select m from public.members m where m.status = 'active'
    and (lower(m.name) = lower(p_member) or m.telegram_user_id = p_member or m.member_id::text = p_member) limit 1
$$;
comment on function private.active_member(text) is 'An active member by name, Telegram id or member id.';

-- The private table has no audit trigger, since its rows hold sealed seeds: the audit row says who and when, and no more.
create function api.enroll_second_factor(p_member text, p_ciphertext text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_member public.members := private.active_member(p_member);
  v_replaced boolean;
begin
  if v_member.member_id is null then
    return private.refuse('not_found', p_actor, 'second_factor.enroll', 'member:' || left(p_member, 64), null, 'No active member has this name or id.');
  end if;
  if coalesce(p_ciphertext, '') !~ '^[A-Za-z0-9+/]{64}$' then
    return private.refuse('invalid_request', p_actor, 'second_factor.enroll', 'member:' || v_member.member_id, null, 'A seed comes sealed: 48 bytes in base64.');
  end if;
  select f.ciphertext is not null into v_replaced from private.second_factors f where f.member_id = v_member.member_id for update;
  -- Steps are those of the clock, whatever the seed: what was used stays used. Guesses were guesses at the seed that is gone.
  insert into private.second_factors as f (member_id, ciphertext, enrolled_by)
  values (v_member.member_id, p_ciphertext, coalesce(p_actor, 'administrator'))
  on conflict (member_id) do update
    set ciphertext = excluded.ciphertext, enrolled_at = private.now(), enrolled_by = excluded.enrolled_by, wrong_at = '{}';
  insert into public.audit_logs (actor, action, object, after_json)
  values (coalesce(p_actor, 'administrator'), 'second_factor.enroll', 'member:' || v_member.member_id,
    jsonb_build_object('second_factor', 'enrolled', 'replaced', coalesce(v_replaced, false)));
  perform private.announce(jsonb_build_object('topic', 'second_factor_enrolled', 'name', v_member.name, 'role', v_member.role, 'by', p_actor),
    array['owner']);
  return private.member_json(v_member) || jsonb_build_object('second_factor', 'enrolled', 'replaced', coalesce(v_replaced, false));
end
$$;
comment on function api.enroll_second_factor(text, text, text) is
  'Stores the sealed seed of a member''s authenticator, in place of an earlier one; every owner is told. Refuses not_found, invalid_request. Administrator only.';
revoke all on function api.enroll_second_factor(text, text, text) from public;
grant execute on function api.enroll_second_factor(text, text, text) to administrator;

create function api.remove_second_factor(p_member text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_member public.members := private.active_member(p_member);
begin
  -- The row stays for its steps and its wrong guesses; the seed does not.
  update private.second_factors f set ciphertext = null where f.member_id = v_member.member_id and f.ciphertext is not null;
  if not found then
    return private.refuse('not_found', p_actor, 'second_factor.remove', 'member:' || coalesce(v_member.member_id::text, left(p_member, 64)), null,
      'No active member of this name or id has a second factor.');
  end if;
  insert into public.audit_logs (actor, action, object, after_json)
  values (coalesce(p_actor, 'administrator'), 'second_factor.remove', 'member:' || v_member.member_id, jsonb_build_object('second_factor', 'removed'));
  perform private.announce(jsonb_build_object('topic', 'second_factor_removed', 'name', v_member.name, 'role', v_member.role, 'by', p_actor),
    array['owner']);
  return private.member_json(v_member) || jsonb_build_object('second_factor', 'removed');
end
$$;
comment on function api.remove_second_factor(text, text) is
  'Forgets the seed of a member, who then approves nothing that demands a code; every owner is told. Refuses not_found. Administrator only.';
revoke all on function api.remove_second_factor(text, text) from public;
grant execute on function api.remove_second_factor(text, text) to administrator;

create or replace function api.list_members() returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(private.member_json(m) || jsonb_build_object('second_factor_since', private.iso(f.enrolled_at)) order by m.added_at), '[]')
  from public.members m left join private.second_factors f on f.member_id = m.member_id and f.ciphertext is not null
  where m.status = 'active'
$$;
comment on function api.list_members() is 'Active members, oldest first, and since when each has a second factor. Administrator only.';
