/**
 * What the model's scratch database has beside the shipped schema: a clock that is told the time, one look at
 * everything that is compared, and a way to try as any role what no role may do.
 */
export const scratch = `
create schema model;
grant usage on schema model to anon, authenticated, service_role, auditor, administrator;

create or replace function private.now() returns timestamptz language sql volatile parallel safe
as $$ select current_setting('model.now')::timestamptz $$;

-- The gates of an order (price, bracket, limits) have tests of their own; here every T3 effect is one that they let pass.
create or replace function private.order_problem(p_task public.tasks, p_payload jsonb, p_channel text) returns text
language plpgsql set search_path = '' as $$ begin return null; end $$;
create or replace function private.fill_order(p_effect public.effects) returns jsonb
language plpgsql set search_path = '' as $$ begin return '{}'::jsonb; end $$;
create or replace function private.book_report(p_effect public.effects, p_receipt jsonb) returns void
language plpgsql set search_path = '' as $$ begin end $$;

create function model.tell(p_now text) returns void language sql as $$ select set_config('model.now', p_now, true) $$;

create function model.look(p_task text) returns jsonb language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'task', jsonb_build_array(t.status, t.reason, t.risk_tier),
    'steps', (select jsonb_object_agg(s.node_id, s.status) from public.task_steps s where s.task_id = p_task),
    'requests', coalesce((select jsonb_agg(jsonb_build_object('id', r.request_id, 'code', r.code, 'digest', r.digest, 'status', r.status,
      'tier', r.tier, 'slots', r.required_slots, 'filled', case when r.status in ('open', 'approved') then private.slots_filled(r.request_id) end,
      'answers', coalesce((select jsonb_agg((a.metadata ->> 'telegram_user_id') || ' ' || a.decision order by a.ts)
        from public.approvals a where a.request_id = r.request_id), '[]')) order by r.requested_at)
      from public.approval_requests r where r.task_id = p_task), '[]'),
    'effects', coalesce((select jsonb_agg(jsonb_build_object('id', e.effect_id, 'status', e.status, 'attempt', e.attempt, 'channel', e.channel)
      order by e.seq) from public.effects e where e.task_id = p_task), '[]'),
    'stops', (select jsonb_object_agg(e.scope, e.state) from public.emergency_stops e),
    't3', coalesce((select f.enabled from public.feature_flags f where f.key = 't3_execution_enabled'), false),
    'confirmations', coalesce((select jsonb_agg(jsonb_build_object('code', c.code, 'is', c.kind || ' ' || coalesce(c.outcome, 'open')) order by c.asked_at)
      from public.confirmations c), '[]'),
    'grants', coalesce((select jsonb_agg(jsonb_build_array(g.used_at is not null, g.voided_at is not null) order by g.granted_at)
      from public.break_glass_grants g), '[]'))
  from public.tasks t where t.task_id = p_task
$$;

-- One statement as another role; afterwards the session is service_role again, as in the running house.
create function model.call(p_role text, p_sql text) returns jsonb language plpgsql as $$
declare
  v_answer jsonb;
begin
  execute format('set local role %I', p_role);
  execute p_sql into v_answer;
  set local role service_role;
  return v_answer;
end
$$;
create function model.plant(p_sql text) returns void language plpgsql as $$
begin
  set local role postgres;
  execute p_sql;
  set local role service_role;
end
$$;

-- Tries each statement as its role and takes it back: the SQLSTATE that refused it, or 'done'.
create function model.trespass(p_attempts jsonb) returns text[] language plpgsql as $$
declare
  v_attempt jsonb;
  v_found text[] := '{}';
begin
  for v_attempt in select a from jsonb_array_elements(p_attempts) a loop
    begin
      perform set_config('request.jwt.claims', v_attempt ->> 'claims', true);
      execute format('set local role %I', v_attempt ->> 'role');
      execute v_attempt ->> 'sql';
      raise exception using errcode = 'MODEL', message = 'done';
    exception when others then
      v_found := v_found || case when sqlstate = 'MODEL' then 'done' else sqlstate end;
    end;
  end loop;
  return v_found;
end
$$;
grant execute on all functions in schema model to public;`;
