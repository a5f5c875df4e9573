-- I9: no step starts before everything it waits for is done.
select 'a step started before what it waits for was done' as finding, 'step:' || s.step_id as object
from public.task_steps s cross join unnest(s.waits_for) w(node_id)
left join public.task_steps p on p.task_id = s.task_id and p.node_id = w.node_id
where s.status in ('ready', 'running', 'awaiting_approval', 'done', 'stale')
  and (p.step_id is null or p.status not in ('done', 'skipped')
    -- People may be asked anew after a worker has started: then only the ends count.
    or (p.agent_class <> 'human' and s.started_at < p.ended_at) or s.ended_at < p.ended_at)
union all
select 'a join counts other parents than it has', 'step:' || s.step_id
from public.task_steps s where s.status = 'pending' and s.pending_parents <> (select count(*) from public.task_steps p
  where p.task_id = s.task_id and p.node_id = any (s.waits_for) and p.status not in ('done', 'skipped'))
  and exists (select 1 from public.tasks t where t.task_id = s.task_id and t.ended_at is null)
