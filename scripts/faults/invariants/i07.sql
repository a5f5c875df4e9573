-- I7: every transition has its audit row: the trail of states has no gap and ends where the row is.
-- A chain of hashes over the trail does not exist yet; this is about the rows.
with move as (
  select a.object, a.id, a.before_json ->> 'status' as was, a.after_json ->> 'status' as became,
    lag(a.after_json ->> 'status') over (partition by a.object order by a.id) as before_that,
    row_number() over (partition by a.object order by a.id desc) as from_the_end
  from public.audit_logs a
  where a.outcome = 'done' and a.object ~ '^(task|step|request|effect):' and a.after_json ? 'status'
    and (a.before_json is null) = (a.after_json ? 'task_id')
), current (object, status) as (
  select 'task:' || t.task_id, t.status from public.tasks t
  union all select 'step:' || s.step_id, s.status from public.task_steps s
  union all select 'request:' || r.request_id, r.status from public.approval_requests r
  union all select 'effect:' || e.effect_id, e.status from public.effects e
)
select 'a transition has no audit row before it' as finding, m.object
from move m where m.was is distinct from m.before_that
union all
select 'a row is not where its trail ends', c.object
from current c left join move m on m.object = c.object and m.from_the_end = 1 where m.became is distinct from c.status
union all
select 'a decision has not exactly one audit row', 'approval:' || p.approval_id
from public.approvals p where (select count(*) from public.audit_logs a where a.object = 'approval:' || p.approval_id) <> 1
