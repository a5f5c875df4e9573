-- I10: the states sum to the total: as many tasks as were told of, every one in one known state that its steps agree with.
select 'tasks and their beginnings differ in number' as finding, format('%s tasks, %s told', t.n, e.n) as object
from (select count(*) as n from public.tasks) t, (select count(*) as n from public.events where type = 'TASK_CREATED') e where t.n <> e.n
union all
select 'deliveries and tasks differ in number', format('%s accepted, %s tasks', r.n, t.n)
from (select count(*) as n from public.event_receipts where outcome = 'accepted') r,
  (select count(distinct task_id) as n from public.event_receipts where outcome = 'accepted') t where r.n <> t.n
union all
select 'a task is in a state that nobody knows', t.task_id
from public.tasks t where not exists (select 1 from private.transitions x where x.subject = 'task' and x.to_status = t.status)
union all
select 'an ended task has open steps', t.task_id
from public.tasks t where t.ended_at is not null and exists (select 1 from public.task_steps s
  where s.task_id = t.task_id and s.status in ('pending', 'ready', 'running', 'awaiting_approval', 'stale'))
union all
select 'an archived task has an open effect', t.task_id
from public.tasks t join public.effects e using (task_id) where t.status = 'archived' and e.status in ('reserved', 'sent', 'unknown')
