-- The promise of this file: every secret of the environment has a row that says who may hold it and by when it is to be
-- changed, ninety days at most; one that is late is an alert. No secret is ever stored, only its variable's name.
-- Refuses: not_found, invalid_request.

create table public.secret_rotations (
  name text primary key check (name ~ '^[A-Z][A-Z0-9_]{2,63}$'),
  scope text[] not null,
  shared boolean generated always as (cardinality(scope) > 1) stored,
  in_use boolean not null default true,
  known_since timestamptz not null default private.now(),
  rotated_at timestamptz,
  due_at timestamptz not null default private.now() + interval '90 days',
  recorded_by text,
  constraint somebody_holds_a_secret check (cardinality(scope) > 0),
  constraint rotated_at_least_every_90_days check (due_at <= coalesce(rotated_at, known_since) + interval '90 days 1 second'),
  constraint a_rotation_is_recorded_by_somebody check (rotated_at is null or recorded_by is not null)
);
comment on table public.secret_rotations is
  'The names of the secrets in the environment: which functions or tools hold them, when each was last changed and when it is due.';
comment on column public.secret_rotations.scope is 'Functions, or agent class and tool, that read this variable; shared where it is more than one.';
comment on column public.secret_rotations.rotated_at is 'Null: no change is on record, and the ninety days run from known_since.';

create function api.record_rotation(p_name text, p_in_use boolean, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_now timestamptz := private.now();
  v_row public.secret_rotations;
begin
  if p_in_use is null or coalesce(p_actor, '') = '' then
    return private.refuse('invalid_request', p_actor, 'secret.rotate', 'secret:' || left(p_name, 64), null, 'A rotation is recorded by somebody.');
  end if;
  perform private.act_as(p_actor, 'secret.rotate');
  -- A name that is not used any more keeps its last rotation and is no longer watched.
  update public.secret_rotations s set in_use = p_in_use, recorded_by = left(p_actor, 200),
    rotated_at = case when p_in_use then v_now else s.rotated_at end,
    due_at = case when p_in_use then v_now + interval '90 days' else s.due_at end
  where s.name = p_name returning * into v_row;
  if v_row.name is null then
    return private.refuse('not_found', p_actor, 'secret.rotate', 'secret:' || coalesce(left(p_name, 64), '?'), null, 'No secret of the environment has this name.');
  end if;
  update public.alerts a set closed_at = v_now where a.code = 'secret_overdue' and a.subject = 'secret:' || p_name and a.closed_at is null;
  return jsonb_build_object('name', v_row.name, 'in_use', v_row.in_use, 'rotated_at', private.iso(v_row.rotated_at), 'due_at', private.iso(v_row.due_at));
end
$$;
comment on function api.record_rotation(text, boolean, text) is
  'Puts on record that a secret was changed now, or is not used: its alert closes, the next change is due in 90 days. Refuses not_found, invalid_request. Administrator only.';
revoke all on function api.record_rotation(text, boolean, text) from public;
grant execute on function api.record_rotation(text, boolean, text) to administrator;

create function private.check_rotations() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_late record;
  v_count integer := 0;
begin
  for v_late in
    select s.name, s.due_at from public.secret_rotations s where s.in_use and s.due_at <= private.now() order by s.due_at, s.name
  loop
    perform private.raise_alert('secret_overdue', 'warning', 'secret:' || v_late.name, private.iso(v_late.due_at), '90 days', null);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
comment on function private.check_rotations() is 'One open alert for each secret in use whose change is due.';

select private.close_table('public.secret_rotations');
select private.allow_members('public.secret_rotations', 'owner', 'operator', 'reviewer');
select private.audit('public.secret_rotations', 'secret', 'name');
insert into public.secret_rotations (name, scope) values
  ('INTAKE_TOKENS', '{intake}'),
  ('SERVICE_TOKEN', '{intake,critic,communicator,orchestrator,dags-domain-health}'),
  ('TELEGRAM_BOT_TOKEN', '{communicator:telegram.post,telegram-webhook}'),
  ('TELEGRAM_WEBHOOK_SECRET', '{telegram-webhook}'),
  ('LLM_API_KEY', '{critic:llm.judge}'),
  ('APPROVAL_SIGNING_KEY', '{telegram-webhook}'),
  ('SECOND_FACTOR_KEY', '{telegram-webhook,ags:members}'),
  ('BROKER_BRIDGE_SECRET', '{exec:broker.order}'),
  ('TON_API_KEY', '{intake:ton.read}'),
  ('TON_WEBHOOK_TOKEN', '{intake}'),
  ('DATABASE_URL', '{orchestrator,intake,communicator,critic,telegram-webhook,dags-domain-health,ags}'),
  ('SUPABASE_SECRET_KEYS', '{orchestrator,intake,communicator,critic,telegram-webhook,dags-domain-health}'),
  ('SUPABASE_SERVICE_ROLE_KEY', '{orchestrator,intake,communicator,critic,telegram-webhook,dags-domain-health}');
insert into public.jobs (job_name, every_seconds) values ('check_rotations', 86400);
