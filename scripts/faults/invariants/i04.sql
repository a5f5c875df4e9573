-- I4: three attempts that failed are all there are.
select 'a step is tried a fourth time' as finding, 'step:' || s.step_id as object
from public.task_steps s where s.failures > 3 or (s.failures = 3 and s.status in ('ready', 'running'))
union all
select 'a step failed more often than three times', 'step:' || s.step_id
from public.task_steps s join public.audit_logs a on a.object = 'step:' || s.step_id and a.outcome = 'refused'
  and a.action = 'step.fail' and a.code in ('internal', 'unavailable', 'rate_limited')
-- Work that is done anew starts to count anew.
where not exists (select 1 from public.audit_logs r where r.object = 'step:' || s.step_id and r.action like '%replan%')
group by s.step_id having count(*) > 3
