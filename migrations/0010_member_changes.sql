-- The promise of this file: who may decide changes only here, audited, and every owner is told.
-- Refuses: invalid_request, duplicate_member, not_found, last_owner.

create function api.add_member(p_member jsonb, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_name text := p_member ->> 'name';
  v_telegram text := p_member ->> 'telegram_user_id';
  v_auth text := p_member ->> 'auth_user_id';
  -- An account that comes back is the person who left: nobody becomes two by being added again.
  v_person uuid := coalesce((select m.person_id from public.members m
    where m.telegram_user_id = p_member ->> 'telegram_user_id' or m.auth_user_id::text = p_member ->> 'auth_user_id'
    order by m.added_at desc limit 1), gen_random_uuid());
  v_row public.members;
begin
  if v_name is null or v_name !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'
    or coalesce(p_member ->> 'role', '') not in ('owner', 'operator', 'reviewer')
    or (v_telegram is not null and v_telegram !~ '^[1-9][0-9]{0,19}$')
    or (v_auth is not null and v_auth !~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$') then
    return private.refuse('invalid_request', p_actor, 'member.add', 'member:' || coalesce(left(v_name, 64), '?'), null,
      'A member has a role (owner, operator, reviewer), a name without spaces and a numeric Telegram id.');
  end if;
  lock table public.members in share row exclusive mode;
  if exists (select 1 from public.members m where m.status = 'active'
    and (lower(m.name) = lower(v_name) or m.telegram_user_id = v_telegram or m.auth_user_id::text = v_auth)) then
    return private.refuse('duplicate_member', p_actor, 'member.add', 'member:' || v_name, null,
      'An active member already has this name or Telegram id; remove that one first.');
  end if;
  if p_member ->> 'person' is not null then
    select m.person_id into v_person from public.members m
    where m.status = 'active' and (lower(m.name) = lower(p_member ->> 'person') or m.person_id::text = p_member ->> 'person') limit 1;
    if v_person is null then
      return private.refuse('not_found', p_actor, 'member.add', 'member:' || v_name, null,
        'No active member has the name given as the same person.');
    end if;
  end if;
  perform private.act_as(p_actor, 'member.add');
  insert into public.members (name, role, telegram_user_id, auth_user_id, person_id, added_by)
  values (v_name, p_member ->> 'role', v_telegram, v_auth::uuid, v_person, coalesce(p_actor, 'administrator')) returning * into v_row;
  perform private.announce(jsonb_build_object('topic', 'member_added', 'name', v_row.name, 'role', v_row.role, 'by', p_actor),
    array['owner']);
  perform private.ask_member(v_row.member_id);
  return private.member_json(v_row);
end
$$;
comment on function api.add_member(jsonb, text) is
  'Adds a member: role, name, telegram_user_id, auth_user_id, person (the name of another account of the same person); every owner is told, and the member gets the cards of what is open and theirs to decide. Refuses invalid_request, duplicate_member, not_found. Administrator only.';
revoke all on function api.add_member(jsonb, text) from public;
grant execute on function api.add_member(jsonb, text) to administrator;

create function api.remove_member(p_member text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_row public.members;
begin
  lock table public.members in share row exclusive mode;
  select m.* into v_row from public.members m where m.status = 'active'
    and (lower(m.name) = lower(p_member) or m.telegram_user_id = p_member or m.member_id::text = p_member) limit 1;
  if v_row.member_id is null then
    return private.refuse('not_found', p_actor, 'member.remove', 'member:' || left(p_member, 64), null, 'No active member has this name or id.');
  end if;
  if v_row.role = 'owner' and not exists (select 1 from public.members m
    where m.status = 'active' and m.role = 'owner' and m.member_id <> v_row.member_id) then
    return private.refuse('last_owner', p_actor, 'member.remove', 'member:' || v_row.name, null, 'Add another owner first.');
  end if;
  perform private.act_as(p_actor, 'member.remove');
  perform private.announce(jsonb_build_object('topic', 'member_removed', 'name', v_row.name, 'role', v_row.role, 'by', p_actor),
    array['owner']);
  update public.members m set status = 'removed', removed_at = private.now(), removed_by = coalesce(p_actor, 'administrator')
  where m.member_id = v_row.member_id returning * into v_row;
  return private.member_json(v_row);
end
$$;
comment on function api.remove_member(text, text) is
  'Removes a member by name or id; decisions they made stop counting for effects not yet reserved. Refuses not_found, last_owner. Administrator only.';
revoke all on function api.remove_member(text, text) from public;
grant execute on function api.remove_member(text, text) to administrator;
