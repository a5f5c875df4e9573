-- The promise of this file: a metered tool runs no more often than the policy says, however many workers ask at once,
-- and what a task measured leaves after a year. Refuses: rate_limited, invalid_request.

create function api.take_tool_token(p_tool text) returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  v_limit numeric := private.policy_number(null, 'rate_limits', 'tools', p_tool);
  v_wait numeric;
begin
  if p_tool is null or p_tool !~ '^[a-z][a-z_]{0,31}(\.[a-z][a-z_]{0,31})?$' then
    return private.refuse('invalid_request', 'worker', 'tool.take', 'tool:' || coalesce(left(p_tool, 64), '?'), null, 'This is no tool.');
  end if;
  -- Without a limit there is nothing to count; the allowlist alone says who may call it.
  if v_limit is null then
    return jsonb_build_object('granted', true);
  end if;
  -- The bucket's row is the lock: of a thousand calls at once each sees what the one before it left.
  v_wait := private.take_token('tool:' || p_tool, v_limit, v_limit);
  if v_wait > 0 then
    return private.refuse('rate_limited', 'worker', 'tool.take', 'tool:' || p_tool, null,
      format('%s may be called %s times a minute; wait %s seconds.', p_tool, v_limit, v_wait), jsonb_build_object('retry_after', v_wait));
  end if;
  return jsonb_build_object('granted', true);
end
$$;
comment on function api.take_tool_token(text) is
  'One call of a metered tool: granted, or refused rate_limited with the seconds to wait. Refuses invalid_request, rate_limited.';
revoke all on function api.take_tool_token(text) from public;
grant execute on function api.take_tool_token(text) to service_role;

-- Metrics are measurements, not history: no guard stands on the table, and no right on it is given to anyone.
create function private.prune_metrics() returns integer
language plpgsql set search_path = ''
as $$
declare
  v_before timestamptz := private.now() - interval '365 days';
  v_count integer;
begin
  delete from public.metrics m where m.ts < v_before;
  get diagnostics v_count = row_count;
  insert into public.audit_logs (actor, action, object, after_json) values ('clock', 'metrics.prune', 'job:prune_metrics',
    jsonb_build_object('before', private.iso(v_before), 'metrics', v_count));
  return v_count;
end
$$;
comment on function private.prune_metrics() is 'The retention job of measurements: they leave after 365 days. What happened stays.';

insert into public.jobs (job_name, every_seconds) values ('prune_metrics', 86400);
