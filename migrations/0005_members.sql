-- The promise of this file: people are rows of one table, looked up when they act, so that a revocation
-- holds at once. A person may have several accounts; "distinct" means persons.

create table public.members (
  member_id uuid primary key default gen_random_uuid(),
  tenant_id text not null default 'main',
  person_id uuid not null default gen_random_uuid(),
  name text not null check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
  role text not null,
  telegram_user_id text check (telegram_user_id ~ '^[1-9][0-9]{0,19}$'),
  auth_user_id uuid,
  status text not null default 'active',
  added_at timestamptz not null default private.now(),
  added_by text not null,
  removed_at timestamptz,
  removed_by text,
  unreachable_since timestamptz,
  unreachable_reason text,
  constraint role_is_known check (role in ('owner', 'operator', 'reviewer')),
  constraint member_status_is_known check (status in ('active', 'removed')),
  constraint removed_exactly_when_stamped check ((status = 'removed') = (removed_at is not null)),
  constraint unreachable_has_a_reason check ((unreachable_since is null) = (unreachable_reason is null))
);
comment on table public.members is 'The one table of people: owner, operator, reviewer; an account each, person_id joins accounts of one person.';
create unique index members_active_name on public.members (tenant_id, lower(name)) where status = 'active';
create unique index members_active_telegram on public.members (telegram_user_id)
  where status = 'active' and telegram_user_id is not null;
create unique index members_active_auth on public.members (auth_user_id)
  where status = 'active' and auth_user_id is not null;

create table private.pairing_codes (
  code_sha256 text primary key check (code_sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz not null default private.now(),
  used_at timestamptz
);
comment on table private.pairing_codes is 'The one-time code that pairs the first owner; only its hash is kept.';

-- auth.uid() belongs to Supabase; a revoked member has no role from the next statement on.
create function api.my_role() returns text
language sql stable security definer set search_path = ''
as $$ select m.role from public.members m where m.auth_user_id = (select auth.uid()) and m.status = 'active' $$;
comment on function api.my_role() is 'The role of the signed-in person, or null. Row-level policies ask it.';
revoke all on function api.my_role() from public;
grant execute on function api.my_role() to authenticated;

create function private.allow_members(p_table regclass, variadic p_roles text[]) returns void
language plpgsql set search_path = ''
as $$
begin
  execute format('grant select on %s to authenticated', p_table);
  execute format('create policy "members read by role" on %s for select to authenticated '
    'using ((select api.my_role()) = any (%L::text[]))', p_table, p_roles);
end
$$;
comment on function private.allow_members(regclass, text[]) is 'Lets signed-in members of these roles read the table.';

create function private.member_json(p_member public.members) returns jsonb
language sql stable set search_path = ''
as $$
  select jsonb_build_object('member_id', p_member.member_id, 'person_id', p_member.person_id, 'name', p_member.name,
    'role', p_member.role, 'telegram_user_id', p_member.telegram_user_id, 'status', p_member.status,
    'added_at', private.iso(p_member.added_at), 'unreachable_since', private.iso(p_member.unreachable_since))
$$;

create function api.list_members() returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(private.member_json(m) order by m.added_at), '[]')
  from public.members m where m.status = 'active'
$$;
comment on function api.list_members() is 'Active members, oldest first. Administrator only.';
revoke all on function api.list_members() from public;
grant execute on function api.list_members() to administrator;

create function api.create_pairing_code(p_code_sha256 text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  if p_code_sha256 is null or p_code_sha256 !~ '^[0-9a-f]{64}$' then
    return private.refuse('invalid_request', 'administrator', 'member.pairing_code', 'pairing-code', null, 'The code comes as its sha256 in hex.');
  end if;
  if exists (select 1 from public.members m where m.role = 'owner' and m.status = 'active') then
    return jsonb_build_object('needed', false);
  end if;
  insert into public.audit_logs (actor, action, object) values ('administrator', 'member.pairing_code', 'pairing-code');
  delete from private.pairing_codes where used_at is null;
  insert into private.pairing_codes (code_sha256) values (p_code_sha256);
  return jsonb_build_object('needed', true);
end
$$;
comment on function api.create_pairing_code(text) is
  'Stores the hash of a new one-time code while there is no owner; older unused codes stop working. Administrator only.';
revoke all on function api.create_pairing_code(text) from public;
grant execute on function api.create_pairing_code(text) to administrator;

select private.close_table('public.members');
select private.allow_members('public.members', 'owner', 'operator', 'reviewer');
select private.allow_members('public.audit_logs', 'owner', 'operator', 'reviewer');
select private.allow_members('public.policies', 'owner', 'operator', 'reviewer');
select private.allow_members('public.agents', 'owner', 'operator', 'reviewer');
select private.audit('public.members', 'member', 'member_id');
