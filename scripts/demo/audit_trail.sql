-- The task's audit rows as a story: one line per act of one actor, what it touched, and the refusals between.
select to_char(min(ts) at time zone 'UTC', 'HH24:MI:SS.MS') as at, actor, action,
  string_agg(distinct split_part(object, ':', 1), ', ') as objects, code
from public.audit_logs
where task_id = $1 and (object not like 'step:%' or code is not null) and action <> 'step.claim'
group by actor, action, code
order by min(id)
