-- lists: what left the house: text, channel, message id, idempotency key, score, approvers, and the digest they approved.
-- Read: compare message_id and text with the channel itself; each key appears once, and a T2 row without approvers is an incident.
select e.confirmed_at, e.task_id, t.risk_tier as tier, e.kind, e.channel, e.destination, e.status, e.receipt_json ->> 'message_id' as message_id,
  e.idempotency_key, e.payload_json ->> 'text' as text, r.bound_to ->> 'score' as score, left(e.digest, 12) as digest,
  (select string_agg(format('%s (%s) %s', a.approver, a.role, a.ts), ', ' order by a.ts) from public.approvals a
    where a.request_id = e.request_id and a.decision = 'approve') as approvers
from public.effects e join public.tasks t using (task_id) left join public.approval_requests r using (request_id)
where e.channel <> 'internal'
order by e.seq desc;
