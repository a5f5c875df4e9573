-- I5: no lease outlives itself by more than ten seconds once the reaper has been there.
select 'a lapsed lease is still held' as finding, 'step:' || s.step_id as object
from public.task_steps s where s.status = 'running' and s.lease_expires_at < private.now() - interval '10 seconds'
union all
select 'a lapsed lease is still held', 'notification:' || n.notification_id
from public.notifications n where n.status = 'sending' and n.lease_expires_at < private.now() - interval '1 minute'
