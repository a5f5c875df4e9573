-- finds: keys of the short-term memory that nobody needs any more.
-- Read: every row is a key that should be gone: purged by the hourly job, or owned by no open task. Nothing is lost with it: what it held can be made anew.
select 'a key has expired and was not purged' as finding, 'memory:' || m.key as object, m.task_id, 'expired at ' || m.expires_at as detail
from public.working_memory m where m.expires_at <= now() - interval '2 hours'
union all
select 'a key belongs to no task', 'memory:' || m.key, null, 'written by ' || m.written_by
from public.working_memory m where m.task_id is null
union all
select 'a key has outlived its task', 'memory:' || m.key, m.task_id, t.status || ' at ' || t.ended_at
from public.working_memory m join public.tasks t using (task_id) where t.ended_at <= now() - interval '2 hours'
order by 1, 2;
