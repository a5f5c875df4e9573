-- finds: effects whose approvals do not fit, and decisions that should not exist.
-- Read: every row is an incident: either a gate was passed round, or rows were changed by someone who can.
with recursive request as (
  select r.*, p.body as policy from public.approval_requests r
  left join public.policies p on p.policy_sha256 = r.bound_to ->> 'policy'
), yes as (
  select a.request_id, a.person_id, a.role from public.approvals a where a.decision = 'approve'
    and not exists (select 1 from public.approvals n where n.request_id = a.request_id and n.person_id = a.person_id and n.decision = 'reject')
), filled (request_id, slot, persons) as (
  select r.request_id, 0, '{}'::uuid[] from request r
  union all
  select f.request_id, f.slot + 1, f.persons || y.person_id
  from filled f join request r on r.request_id = f.request_id join yes y on y.request_id = f.request_id
  where f.slot < cardinality(r.required_slots) and y.person_id <> all (f.persons)
    and r.policy -> 'roles' -> r.required_slots[f.slot + 1] ? y.role
), gate as (
  select distinct on (e.effect_id) e.effect_id, v.verdict, v.score, v.threshold, v.artifact_id
  from public.effects e join public.evaluations v on v.task_id = e.task_id and v.step_id is not null and v.created_at <= e.reserved_at
  order by e.effect_id, v.seq desc
), effect as (
  select e.*, t.risk_tier from public.effects e join public.tasks t on t.task_id = e.task_id
)
select 'an effect of a T2 or T3 task has no approval request' as finding, 'effect:' || e.effect_id as object, e.task_id,
  e.risk_tier || ' ' || e.kind || ' ' || e.channel as detail
from effect e where e.risk_tier in ('T2', 'T3') and e.request_id is null
union all
select 'an effect stands on a request of another task', 'effect:' || e.effect_id, e.task_id, r.task_id
from effect e join request r using (request_id) where r.task_id <> e.task_id
union all
select 'an effect stands on a request that it did not consume', 'effect:' || e.effect_id, e.task_id, r.code || ' is ' || r.status
from effect e join request r using (request_id) where r.status <> 'consumed'
union all
select 'an effect was reserved after its approval expired', 'effect:' || e.effect_id, e.task_id, r.code || ' expired ' || r.expires_at
from effect e join request r using (request_id) where e.reserved_at >= r.expires_at
union all
select 'an effect carries another digest than its request', 'effect:' || e.effect_id, e.task_id, r.code
from effect e join request r using (request_id) where e.digest is distinct from r.digest
union all
select 'a request counts as approved though distinct people do not fill its slots', 'request:' || r.request_id, r.task_id,
  format('%s needs %s', r.code, r.required_slots)
from request r where r.status in ('approved', 'consumed')
  and not exists (select 1 from filled f where f.request_id = r.request_id and f.slot = cardinality(r.required_slots))
union all
select 'an effect has no passing evaluation before it', 'effect:' || e.effect_id, e.task_id,
  coalesce(format('%s, %s of %s', g.verdict, g.score, g.threshold), 'no evaluation')
from effect e left join gate g using (effect_id) where g.verdict is distinct from 'pass' or g.score < g.threshold
union all
select 'a decision simulated locally let an effect out', 'effect:' || e.effect_id, e.task_id, e.channel
from effect e where e.channel not in ('console', 'internal')
  and exists (select 1 from public.approvals a where a.request_id = e.request_id and a.metadata ->> 'channel' = 'local-simulated')
union all
select 'what was published is not the post that was approved', 'effect:' || e.effect_id, e.task_id, left(e.payload_json ->> 'text', 80)
from effect e join gate g using (effect_id) where e.kind = 'publish' and not exists (
  select 1 from public.artifacts o join public.artifacts p on p.step_id = o.step_id
  where o.artifact_id = g.artifact_id and p.type = 'post' and p.content = e.payload_json ->> 'text')
union all
select 'a member approved their own request', 'approval:' || a.approval_id, a.task_id, a.approver
from public.approvals a join public.tasks t using (task_id) where a.person_id = t.requester_person_id
union all
select 'a decision names another digest than its request', 'approval:' || a.approval_id, a.task_id, a.approver
from public.approvals a join request r using (request_id) where a.digest <> r.digest
union all
select 'a decision came after its request had ended', 'approval:' || a.approval_id, a.task_id, a.approver || ' at ' || a.ts
from public.approvals a join request r using (request_id) where a.ts >= r.expires_at or a.ts > r.closed_at
union all
select 'a decision has no artifacts on record', 'approval:' || a.approval_id, a.task_id, a.approver
from public.approvals a where coalesce(jsonb_array_length(nullif(a.metadata -> 'artifacts', 'null')), 0) = 0
union all
select 'a decision has no audit row', 'approval:' || a.approval_id, a.task_id, a.approver
from public.approvals a where not exists (select 1 from public.audit_logs l where l.object = 'approval:' || a.approval_id)
order by 1, 2;
