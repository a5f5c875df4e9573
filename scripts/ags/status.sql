-- A task by its id or by the code of its request; the CLI puts the checked id in place of :id.
select t.task_id, t.status, t.risk_tier as tier, t.action, t.goal, t.reason, t.created_at,
  (select r.code from public.approval_requests r where r.task_id = t.task_id order by r.requested_at desc limit 1) as code,
  (select jsonb_agg(jsonb_build_object('node_id', s.node_id, 'status', s.status, 'agent', s.agent, 'attempt', s.attempt, 'last_code', s.last_code)
    order by s.started_at nulls last, s.created_at, s.node_id) from public.task_steps s where s.task_id = t.task_id) as steps
from public.tasks t
where t.task_id = :id or t.task_id = (select r.task_id from public.approval_requests r where r.code = :id)
