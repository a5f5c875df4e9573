-- I6: an effect that people must allow stands on what they allowed.
-- A request of its own task, consumed, in time, over one digest, with distinct people in every slot, and a passing evaluation of
-- the bytes that left.
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
), effect as (
  select e.*, t.risk_tier, t.requester_person_id from public.effects e join public.tasks t on t.task_id = e.task_id
  where e.status <> 'failed'
)
select 'an effect that people must allow has no request' as finding, 'effect:' || e.effect_id as object
from effect e where e.risk_tier in ('T2', 'T3') and e.request_id is null
union all
select 'an effect stands on a request of another task, or on one that it did not consume', 'effect:' || e.effect_id
from effect e join request r using (request_id) where r.task_id <> e.task_id or r.status <> 'consumed'
union all
select 'an effect was reserved after its approval had expired', 'effect:' || e.effect_id
from effect e join request r using (request_id) where e.reserved_at >= r.expires_at
union all
select 'an effect carries another digest than its request or its approvals', 'effect:' || e.effect_id
from effect e join request r using (request_id)
where e.digest is distinct from r.digest
  or exists (select 1 from public.approvals a where a.request_id = r.request_id and a.digest <> r.digest)
union all
select 'distinct people do not fill the slots of an effect''s request', 'effect:' || e.effect_id
from effect e join request r using (request_id)
where not exists (select 1 from filled f where f.request_id = r.request_id and f.slot = cardinality(r.required_slots))
union all
select 'whoever asked approved it', 'effect:' || e.effect_id
from effect e join public.approvals a using (request_id) where a.decision = 'approve' and a.person_id = e.requester_person_id
union all
select 'an effect has no passing evaluation before it', 'effect:' || e.effect_id
from effect e where e.risk_tier in ('T2', 'T3') and not exists (select 1 from public.evaluations v
  where v.task_id = e.task_id and v.step_id is not null and v.verdict = 'pass' and v.score >= v.threshold and v.created_at <= e.reserved_at)
union all
select 'what left is not the post that was approved', 'effect:' || e.effect_id
from effect e join request r using (request_id) where e.kind = 'publish' and not exists (
  select 1 from jsonb_array_elements(r.bound_to -> 'artifacts') i(item) where i.item ->> 'type' = 'post'
    and i.item ->> 'sha256' = encode(sha256(convert_to(e.payload_json ->> 'text', 'UTF8')), 'hex'))
