-- The promise of this file: who works is seen by its own heartbeat, beside what the task says that it claims; a tool that
-- does not answer is seen, with how many steps wait for it. Refuses: nothing.

select private.show_to_command_center('public.agent_heartbeats', 'worker', 'agent_class', 'status', 'current_task_id', 'current_step_id',
  'dependency', 'failure_mode', 'last_success_at', 'started_at', 'beat_at', 'interval_seconds');
select private.show_to_command_center('public.circuit_breakers', 'tool', 'state', 'consecutive_failures', 'opened_at', 'first_opened_at',
  'reason', 'changed_by', 'changed_at');

-- Every start is a new worker, and the rows of those before it stay for days. One that fell silent while another of its class goes on
-- is history after ten minutes; the last of a class is shown for as long as its row is there.
create view command_center.agents with (security_invoker = true) as
  select h.worker, h.agent_class, h.status, h.current_task_id, h.dependency, h.failure_mode, h.last_success_at, h.beat_at, h.interval_seconds,
    s.started_at as claimed_at,
    case when s.step_id is not null then greatest(s.started_at, e.ts) end as last_activity_at,
    -- Between two beats a step may end: only a beat that came after the end claims what is no longer its own.
    case when s.status = 'running' then s.worker when h.beat_at > s.ended_at then 'nobody' end as held_by,
    case when t.task_id is null then null when t.ended_at is null then false when h.beat_at > t.ended_at then true else false end as closed
  from public.agent_heartbeats h
  left join public.task_steps s on s.step_id = h.current_step_id
  left join public.tasks t on t.task_id = h.current_task_id
  left join lateral (select e.ts from public.events e where e.task_id = h.current_task_id order by e.seq desc limit 1) e on true
  where h.beat_at > now() - interval '10 minutes'
    or not exists (select from public.agent_heartbeats o where o.agent_class = h.agent_class and o.beat_at > h.beat_at);
comment on view command_center.agents is 'The last heartbeat of each worker and class, with what the task itself says about what it claims.';

create view command_center.tools with (security_invoker = true) as
  select b.tool, b.state, b.consecutive_failures, b.first_opened_at, b.reason, b.changed_at,
    (select count(*) from public.fallback_queue q where q.tool = b.tool and q.drained_at is null) as waiting
  from public.circuit_breakers b where b.state <> 'closed' or b.consecutive_failures > 0;
comment on view command_center.tools is 'Tools that failed since they last answered, and how many steps wait for them. A tool without a failure has nothing to say and is not here.';

grant select on all tables in schema command_center to command_center;
