-- lists: every incident with its task, how long ago, and what the task is now.
-- Read: each needs a note of what was done; one whose task is still paused is open.
select e.ts, now() - e.ts as age, e.task_id, coalesce(e.payload_json ->> 'code', 'unknown') as code, e.payload_json, t.status as task_status, t.reason
from public.events e left join public.tasks t using (task_id)
where e.type = 'INCIDENT_RAISED'
order by e.seq desc;
