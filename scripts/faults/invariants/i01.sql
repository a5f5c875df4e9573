-- I1: what was accepted is not lost.
-- A task that nobody ended and nobody works on counts as lost: it would wait for ever.
select 'an acknowledged task is not there' as finding, a.task_id as object
from pg_temp.acknowledged a left join public.tasks t using (task_id) where t.task_id is null
union all
select 'an accepted delivery told nobody', 'receipt:' || r.receipt_id
from public.event_receipts r where r.outcome = 'accepted'
  and not exists (select 1 from public.events e where e.idempotency_key = r.idempotency_key and e.type = 'TASK_CREATED' and e.task_id = r.task_id)
union all
select 'a task was never planned for', t.task_id
from public.tasks t where not exists (select 1 from public.task_steps s where s.task_id = t.task_id)
union all
select 'an open task has nothing left to do', t.task_id
from public.tasks t where t.ended_at is null and not exists (select 1 from public.task_steps s
  where s.task_id = t.task_id and s.status in ('pending', 'ready', 'running', 'awaiting_approval', 'stale'))
