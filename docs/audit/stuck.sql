-- finds: what should have moved and did not: lost leases, late steps and messages, requests past their expiry, overdue or failing jobs, old raw data.
-- Read: one row that is gone a minute later is a restart; rows that stay mean that no worker or no schedule ticks, or that a person must act.
select 'a lease ran out and nobody took the step back' as finding, 'step:' || s.step_id as object, s.task_id,
  format('%s, leased by %s until %s', s.node_id, s.worker, s.lease_expires_at) as detail
from public.task_steps s where s.status = 'running' and s.lease_expires_at < now() - interval '1 minute'
union all
select 'a ready step waits for a worker', 'step:' || s.step_id, s.task_id, format('%s of %s, due %s: %s', s.node_id, s.agent, s.run_at, coalesce(s.last_error, 'no error'))
from public.task_steps s where s.status = 'ready' and s.run_at < now() - interval '5 minutes'
union all
select 'a task has nothing that could move it', 'task:' || t.task_id, t.task_id, t.status
from public.tasks t where t.status in ('created', 'planned', 'running', 'awaiting_approval', 'publishing')
  and not exists (select 1 from public.task_steps s where s.task_id = t.task_id and s.status in ('ready', 'running', 'awaiting_approval'))
union all
select 'a paused task waits for a person', 'task:' || t.task_id, t.task_id, coalesce(t.reason, 'no reason')
from public.tasks t where t.status = 'paused'
union all
select 'a request is past its expiry and still open', 'request:' || r.request_id, r.task_id, r.code || ' expired ' || r.expires_at
from public.approval_requests r where r.status in ('open', 'approved') and r.expires_at < now() - interval '1 minute'
union all
select 'an effect is reserved or sent and does not end', 'effect:' || e.effect_id, e.task_id, e.status || ' since ' || coalesce(e.sent_at, e.reserved_at)
from public.effects e where e.status in ('reserved', 'sent') and coalesce(e.sent_at, e.reserved_at) < now() - interval '10 minutes'
union all
select 'a message waits in the outbox', 'notification:' || n.notification_id, n.task_id, format('%s, %s, attempt %s: %s', n.kind, n.status, n.attempt, coalesce(n.last_error, 'no error'))
from public.notifications n where (n.status = 'queued' and n.run_at < now() - interval '10 minutes')
  or (n.status = 'sending' and n.lease_expires_at < now() - interval '10 minutes')
union all
select 'a job is overdue', 'job:' || j.job_name, null, format('due %s, last run %s', j.next_run_at, coalesce(j.last_run_at::text, 'never'))
from public.jobs j where j.enabled and j.next_run_at < now() - greatest(make_interval(secs => 3 * j.every_seconds), interval '1 minute')
union all
select 'a job fails', 'job:' || j.job_name, null, j.last_error from public.jobs j where j.last_status = 'error'
union all
select 'raw data is older than it may be', 'event_receipts', null, min(r.received_at)::text
from public.event_receipts r having min(r.received_at) < now() - interval '92 days'
union all
select 'raw data is older than it may be', 'telegram_updates', null, min(u.received_at)::text
from public.telegram_updates u having min(u.received_at) < now() - interval '92 days'
order by 1, 2;
