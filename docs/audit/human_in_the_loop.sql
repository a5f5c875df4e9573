-- lists: every decision on a T2 or T3 request: who, in which role, when, by which channel, what they saw (digest, artifacts, score) and what came of it.
-- Read: approver, ts and artifacts are never empty, and audit_id names the row of audit_logs written with the decision; approvals_that_do_not_fit looks for the faults.
select a.ts, r.code, a.tier, a.task_id, a.approver, a.role, a.decision, a.reason, a.metadata ->> 'channel' as channel,
  a.ts - r.requested_at as waited, r.bound_to ->> 'score' as score, left(a.digest, 12) as digest,
  a.metadata -> 'artifacts' as artifacts, r.status as request_status, e.status as effect_status,
  (select min(l.id) from public.audit_logs l where l.object = 'approval:' || a.approval_id) as audit_id
from public.approvals a
join public.approval_requests r using (request_id)
left join public.effects e on e.request_id = r.request_id
where a.tier in ('T2', 'T3')
order by a.ts desc, a.approval_id;
