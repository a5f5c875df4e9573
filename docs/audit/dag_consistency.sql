-- finds: steps, artifacts, evaluations and effects that contradict one another.
-- Read: every row is a broken promise of the line: an orphan output, a missing evaluation, a step ahead of its parents, or an archived task with something open.
with parent as (
  select s.task_id, s.step_id, s.node_id, s.status, s.started_at, w.node_id as waits_for, p.step_id as parent_id, p.status as parent_status,
    p.ended_at as parent_ended_at, p.agent_class as parent_class, s.ended_at
  from public.task_steps s cross join unnest(s.waits_for) w(node_id)
  left join public.task_steps p on p.task_id = s.task_id and p.node_id = w.node_id
), latest as (
  select distinct on (v.step_id) v.step_id, v.score from public.evaluations v where v.step_id is not null order by v.step_id, v.seq desc
)
select 'an artifact belongs to no step of its task' as finding, 'artifact:' || a.artifact_id as object, a.task_id, a.storage_ref as detail
from public.artifacts a left join public.task_steps s on s.step_id = a.step_id and s.task_id = a.task_id where s.step_id is null
union all
select 'an artifact belongs to a step that is not done', 'artifact:' || a.artifact_id, a.task_id, s.node_id || ' is ' || s.status
from public.artifacts a join public.task_steps s on s.step_id = a.step_id where s.status <> 'done'
union all
select 'a step names an output that is not stored', 'step:' || s.step_id, s.task_id, s.output_ref
from public.task_steps s where s.output_ref is not null
  and not exists (select 1 from public.artifacts a where a.storage_ref = s.output_ref and a.step_id = s.step_id)
union all
select 'a done step has no output', 'step:' || s.step_id, s.task_id, s.node_id
from public.task_steps s where s.status = 'done' and s.output_ref is null
  and s.agent_class in ('planner', 'researcher', 'retriever', 'trader')
union all
select 'a critic step is done without an evaluation', 'step:' || s.step_id, s.task_id, s.node_id
from public.task_steps s left join latest l using (step_id) where s.agent_class = 'critic' and s.status = 'done' and l.step_id is null
union all
select 'a step''s quality score is not its evaluation''s', 'step:' || s.step_id, s.task_id, format('%s, evaluated %s', s.quality_score, l.score)
from public.task_steps s join latest l using (step_id) where s.quality_score is distinct from l.score
union all
select 'a person was asked without a passing evaluation', 'request:' || r.request_id, r.task_id, r.code
from public.approval_requests r where not exists (select 1 from public.evaluations v
  where v.task_id = r.task_id and v.step_id is not null and v.verdict = 'pass' and v.created_at <= r.requested_at)
union all
select 'a step waits for a node that does not exist', 'step:' || p.step_id, p.task_id, p.node_id || ' waits for ' || p.waits_for
from parent p where p.parent_id is null
union all
select 'a step moved before its parent was done', 'step:' || p.step_id, p.task_id, format('%s is %s, %s is %s', p.node_id, p.status, p.waits_for, p.parent_status)
from parent p where p.status in ('ready', 'running', 'awaiting_approval', 'done', 'stale')
  -- People may be asked anew after a worker has started; then only the end counts.
  and (p.parent_status not in ('done', 'skipped') or p.ended_at < p.parent_ended_at
    or (p.parent_class <> 'human' and p.started_at < p.parent_ended_at))
union all
select 'a done step never told it', 'step:' || s.step_id, s.task_id, s.node_id
from public.task_steps s where s.status = 'done' and s.agent_class <> 'human' and not exists (select 1 from public.events e
  where e.idempotency_key = s.task_id || ':' || s.node_id || ':' || s.input_hash and e.type = 'STEP_DONE')
union all
select 'an ended task has open steps', 'task:' || t.task_id, t.task_id, s.node_id || ' is ' || s.status
from public.tasks t join public.task_steps s using (task_id)
where t.ended_at is not null and s.status in ('pending', 'ready', 'running', 'awaiting_approval', 'stale')
union all
select 'an archived task has an open effect', 'effect:' || e.effect_id, t.task_id, e.status
from public.tasks t join public.effects e using (task_id) where t.status = 'archived' and e.status in ('reserved', 'sent', 'unknown')
union all
select 'an archived task has no evaluation', 'task:' || t.task_id, t.task_id, t.risk_tier
from public.tasks t where t.status = 'archived'
  and not exists (select 1 from public.evaluations v where v.task_id = t.task_id and v.step_id is not null)
union all
select 'an archived task never told it', 'task:' || t.task_id, t.task_id, t.archived_at::text
from public.tasks t where t.status = 'archived'
  and not exists (select 1 from public.events e where e.task_id = t.task_id and e.type = 'TASK_ARCHIVED')
order by 1, 2;
