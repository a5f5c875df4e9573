-- One object with everything that `npm run demo -- --json` prints but the time at the door.
select jsonb_build_object(
  'tier', t.risk_tier, 'status', t.status,
  'steps', (select jsonb_object_agg(s.node_id, round(extract(epoch from s.ended_at - s.started_at) * 1000))
    from public.task_steps s where s.task_id = t.task_id),
  'asked_ms', (select round(extract(epoch from max(r.closed_at) - min(r.requested_at)) * 1000)
    from public.approval_requests r where r.task_id = t.task_id),
  'events', (select jsonb_agg(e.type order by e.seq) from public.events e where e.task_id = t.task_id),
  'approvals', (select coalesce(jsonb_agg(jsonb_build_object('approver', a.approver, 'role', a.role, 'decision', a.decision,
    'digest', a.digest) order by a.ts), '[]') from public.approvals a where a.task_id = t.task_id),
  'effects', (select coalesce(jsonb_agg(jsonb_build_object('kind', f.kind, 'status', f.status,
    'idempotency_key', f.idempotency_key) order by f.seq), '[]') from public.effects f where f.task_id = t.task_id),
  'audit_rows', (select count(*) from public.audit_logs l where l.task_id = t.task_id)
) as evidence
from public.tasks t where t.task_id = $1
