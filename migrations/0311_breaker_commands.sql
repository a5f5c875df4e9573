-- The promise of this file: a person may trip and reset a breaker in their own name, and one that stays open says so after five
-- minutes, once. Refuses: invalid_request, not_found.

create function private.breaker_command_problem(p_tool text, p_reason text, p_actor text) returns text
language sql stable set search_path = ''
as $$
  select case
    when coalesce(length(btrim(p_reason)), 0) not between 1 and 500 or coalesce(length(p_actor), 0) not between 1 and 200 or p_actor = 'breaker' then 'invalid_request'
    when not exists (select 1 from public.circuit_breakers b where b.tool = p_tool) then 'not_found'
  end
$$;

create function api.trip_breaker(p_tool text, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_code text := private.breaker_command_problem(p_tool, p_reason, p_actor);
  v_was text;
begin
  if v_code is not null then
    return private.refuse(v_code, p_actor, 'breaker.trip', 'breaker:' || coalesce(left(p_tool, 64), '?'), null, 'A tool is left alone by somebody, with a reason.');
  end if;
  select b.state into v_was from public.circuit_breakers b where b.tool = p_tool for no key update;
  -- One that is open already rests from now on.
  perform private.open_breaker(p_tool, btrim(p_reason), p_actor, false);
  return jsonb_build_object('tool', p_tool, 'was', v_was, 'state', 'open');
end
$$;
comment on function api.trip_breaker(text, text, text) is
  'Has a tool left alone from now on, in somebody''s name; after two minutes one call asks whether it is back. Refuses invalid_request, not_found. Administrator only.';
revoke all on function api.trip_breaker(text, text, text) from public;
grant execute on function api.trip_breaker(text, text, text) to administrator;

create function api.reset_breaker(p_tool text, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_code text := private.breaker_command_problem(p_tool, p_reason, p_actor);
  v_breaker public.circuit_breakers;
begin
  if v_code is not null then
    return private.refuse(v_code, p_actor, 'breaker.reset', 'breaker:' || coalesce(left(p_tool, 64), '?'), null, 'A tool is trusted again by somebody, with a reason.');
  end if;
  select b.* into v_breaker from public.circuit_breakers b where b.tool = p_tool for no key update;
  if v_breaker.state = 'closed' then
    return jsonb_build_object('tool', p_tool, 'was', 'closed', 'state', 'closed');
  end if;
  -- No edge leads from open to closed: whoever resets it answers for a probe.
  if v_breaker.state = 'open' then
    perform private.act_as(p_actor, 'breaker.reset');
    update public.circuit_breakers b set state = 'half_open', probe_token = gen_random_uuid(), probe_until = private.now(),
      changed_by = p_actor, changed_at = private.now() where b.tool = p_tool;
  end if;
  perform private.close_breaker(p_tool, btrim(p_reason), p_actor);
  return jsonb_build_object('tool', p_tool, 'was', v_breaker.state, 'state', 'closed');
end
$$;
comment on function api.reset_breaker(text, text, text) is
  'Has a tool called again at once, in somebody''s name; what waited for it goes on. Refuses invalid_request, not_found. Administrator only.';
revoke all on function api.reset_breaker(text, text, text) from public;
grant execute on function api.reset_breaker(text, text, text) to administrator;

create function api.breakers() returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('tool', b.tool, 'state', b.state, 'failures', b.consecutive_failures,
    'since', private.iso(b.first_opened_at), 'next_probe_at', private.iso(private.breaker_due(b)), 'reason', b.reason) order by b.tool), '[]')
  from public.circuit_breakers b where b.state <> 'closed' or b.consecutive_failures > 0
$$;
comment on function api.breakers() is 'The tools that are in trouble; a tool that is not named is closed and has not failed.';
revoke all on function api.breakers() from public;
grant execute on function api.breakers() to service_role;

-- Measured from when it first opened: half-open in between is no health.
create function private.alert_open_breakers() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_breaker public.circuit_breakers;
  v_count integer := 0;
begin
  for v_breaker in
    select b.* from public.circuit_breakers b
    where b.state <> 'closed' and private.now() - b.first_opened_at > interval '5 minutes' order by b.tool
  loop
    perform private.alert_once('circuit_open', 'tool:' || v_breaker.tool, private.iso(v_breaker.first_opened_at), '5 minutes', null);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

create function private.tend_breakers() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_count integer;
  v_tool text;
begin
  perform private.act_as('breaker', 'breaker.tend');
  v_count := private.alert_open_breakers();
  for v_tool in select distinct q.tool from public.fallback_queue q where q.drained_at is null order by q.tool loop
    v_count := v_count + private.drain_fallback(v_tool);
  end loop;
  return v_count;
end
$$;
comment on function private.tend_breakers() is 'The job beside the breakers: rings after five minutes, wakes who asks first, and lets go what waited, a few at a time.';
insert into public.jobs (job_name, every_seconds) values ('tend_breakers', 5);
