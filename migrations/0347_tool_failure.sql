-- The promise of this file: a tool that fails is shown with what it was asked and what it said, people are told with masked pairs, and
-- the patience with it can be tightened for a while and comes back by itself. Refuses: not_found, invalid_request.

-- Only what may be asked again is cut short: an order or a post that nobody waited for would be an effect that nobody saw.
create function private.usual_timeout(p_tool text) returns integer
language sql immutable set search_path = ''
as $$ select case p_tool when 'quotes.read' then 5000 when 'ton.read' then 5000 when 'llm.judge' then 20000 end $$;
comment on function private.usual_timeout(text) is 'How many milliseconds a call of this tool may take; null where its patience cannot be tightened.';

create table public.tool_timeouts (
  tool text primary key references public.circuit_breakers (tool),
  timeout_ms integer not null,
  reason text not null check (length(reason) between 1 and 500),
  set_by text not null check (length(set_by) between 1 and 200),
  set_at timestamptz not null default private.now(),
  expires_at timestamptz not null,
  constraint tightened_and_not_loosened check (timeout_ms between 250 and coalesce(private.usual_timeout(tool), 0)),
  constraint tightened_for_at_most_a_week check (expires_at > set_at and expires_at <= set_at + interval '7 days')
);
comment on table public.tool_timeouts is 'Tools that are waited for less long than usual, until expires_at; whoever is admitted to call one is told how long.';

create function api.tighten_timeout(p_tool text, p_timeout_ms integer, p_hours integer, p_reason text, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_object text := 'tool:' || coalesce(left(p_tool, 64), '?');
  v_usual integer := private.usual_timeout(p_tool);
  v_before integer;
  v_until timestamptz := private.now() + make_interval(hours => p_hours);
begin
  if v_usual is null or p_timeout_ms is null or p_timeout_ms not between 250 and v_usual or p_hours is null or p_hours not between 1 and 168
    or coalesce(length(btrim(p_reason)), 0) not between 1 and 500 or coalesce(length(p_actor), 0) not between 1 and 200 then
    return private.refuse('invalid_request', p_actor, 'timeout.tighten', v_object, null,
      'A tool that is only read is waited for between 250 ms and its usual time, for 1 to 168 hours, for a reason.');
  end if;
  select x.timeout_ms into v_before from public.tool_timeouts x where x.tool = p_tool and x.expires_at > private.now();
  perform private.act_as(p_actor, 'timeout.tighten');
  insert into public.tool_timeouts as x (tool, timeout_ms, reason, set_by, set_at, expires_at)
  values (p_tool, p_timeout_ms, btrim(p_reason), p_actor, private.now(), v_until)
  on conflict (tool) do update set timeout_ms = excluded.timeout_ms, reason = excluded.reason, set_by = excluded.set_by,
    set_at = excluded.set_at, expires_at = excluded.expires_at;
  return jsonb_build_object('tool', p_tool, 'before_ms', coalesce(v_before, v_usual), 'after_ms', p_timeout_ms, 'usual_ms', v_usual,
    'expires_at', private.iso(v_until));
end
$$;
comment on function api.tighten_timeout(text, integer, integer, text, text) is
  'Has calls of a tool cut short after so many milliseconds, for so many hours; then its usual time holds again. Refuses invalid_request. Administrator only.';
revoke all on function api.tighten_timeout(text, integer, integer, text, text) from public;
grant execute on function api.tighten_timeout(text, integer, integer, text, text) to administrator;

create or replace function api.admit_call(p_tool text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_breaker public.circuit_breakers;
  v_leave jsonb;
begin
  select b.* into v_breaker from public.circuit_breakers b where b.tool = p_tool;
  if v_breaker.tool is null then
    return private.refuse('invalid_request', 'worker', 'breaker.admit', 'breaker:' || coalesce(left(p_tool, 64), '?'), null, 'No tool of this name has a breaker.');
  end if;
  if v_breaker.state <> 'closed' and private.now() >= private.breaker_due(v_breaker) then
    -- Of all who come now one takes the lock first; the others find its probe.
    select b.* into v_breaker from public.circuit_breakers b where b.tool = p_tool for no key update;
  end if;
  v_leave := coalesce((select jsonb_build_object('timeout_ms', x.timeout_ms) from public.tool_timeouts x
    where x.tool = p_tool and x.expires_at > private.now()), '{}') || jsonb_build_object('admitted', true);
  if v_breaker.state = 'closed' then
    return private.breaker_json(v_breaker) || v_leave;
  elsif private.now() < private.breaker_due(v_breaker) then
    return private.refuse_call(v_breaker);
  end if;
  perform private.act_as('breaker', 'breaker.probe');
  update public.circuit_breakers b set state = 'half_open', probe_token = gen_random_uuid(), probe_until = private.now() + private.probe_lease(),
    changed_by = 'breaker', changed_at = private.now() where b.tool = p_tool returning * into v_breaker;
  return private.breaker_json(v_breaker) || v_leave || jsonb_build_object('probe', v_breaker.probe_token);
end
$$;

-- What was asked is a step by its name; the words of a request are kept nowhere, so none can leak from here.
create function api.tool_failures(p_tool text default null) returns jsonb
language sql stable security definer set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('tool', b.tool, 'state', b.state, 'failures', b.consecutive_failures, 'recent_failures', b.recent_failures,
    'usual_timeout_ms', private.usual_timeout(b.tool),
    'timeout_ms', (select x.timeout_ms from public.tool_timeouts x where x.tool = b.tool and x.expires_at > private.now()),
    'waiting', (select count(*) from public.fallback_queue q where q.tool = b.tool and q.drained_at is null),
    'pairs', coalesce((select jsonb_agg(jsonb_build_object('request', p.request, 'response', p.response) order by p.at desc) from (
      select l.last_failed_at as at, l.task_id || ' ' || l.node_id || ' by ' || l.agent as request, l.errors -> -1 ->> 'error' as response
      from public.dead_letters l where l.tool = b.tool
      union all
      select (f ->> 'at')::timestamptz, 'a call of ' || b.tool || ' at ' || (f ->> 'at'), f ->> 'error' from jsonb_array_elements(b.recent_failures) f
      order by at desc limit 5) p), '[]')) order by b.state = 'closed', b.consecutive_failures desc, b.tool), '[]')
  from public.circuit_breakers b
  where case when p_tool is null then b.state <> 'closed' or b.consecutive_failures > 0 else b.tool = p_tool end
$$;
comment on function api.tool_failures(text) is
  'A tool, or every one in trouble: its breaker, what waits for it, and the last five pairs of what was asked and what it said. Administrator only.';
revoke all on function api.tool_failures(text) from public;
grant execute on function api.tool_failures(text) to administrator;

create function api.announce_tool_failure(p_tool text, p_pairs jsonb, p_waiting integer, p_actor text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  if not exists (select 1 from public.circuit_breakers b where b.tool = p_tool) then
    return private.refuse('not_found', p_actor, 'tool.announce', 'tool:' || coalesce(left(p_tool, 64), '?'), null, 'No tool of this name has a breaker.');
  elsif coalesce(length(p_actor), 0) not between 1 and 200 or jsonb_typeof(p_pairs) is distinct from 'array'
    or octet_length(p_pairs::text) > 8192 or jsonb_array_length(p_pairs) > 5 then
    return private.refuse('invalid_request', p_actor, 'tool.announce', 'tool:' || p_tool, null, 'Somebody tells of at most five masked pairs.');
  end if;
  insert into public.audit_logs (actor, action, object, after_json) values (p_actor, 'tool.announce', 'tool:' || p_tool, jsonb_build_object('pairs', p_pairs));
  perform private.announce(jsonb_build_object('topic', 'tool_failure', 'subject', p_tool, 'by', p_actor, 'pairs', p_pairs, 'waiting', p_waiting), array['owner', 'operator']);
  return jsonb_build_object('tool', p_tool, 'told', true);
end
$$;
comment on function api.announce_tool_failure(text, jsonb, integer, text) is
  'Tells owners and operators that a tool fails, with at most five pairs that the caller has masked. Refuses not_found, invalid_request. Administrator only.';
revoke all on function api.announce_tool_failure(text, jsonb, integer, text) from public;
grant execute on function api.announce_tool_failure(text, jsonb, integer, text) to administrator;

select private.close_table('public.tool_timeouts');
select private.allow_members('public.tool_timeouts', 'owner', 'operator', 'reviewer');
select private.audit('public.tool_timeouts', 'timeout', 'tool');
