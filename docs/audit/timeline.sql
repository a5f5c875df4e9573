-- lists: everything that happened to each of the newest 100 tasks in order: deliveries, events, changes, refusals, decisions, messages, effects.
-- Read: newest task first, then by time; a gap between two rows is waiting, a refused row says what was tried in vain.
with recent as (
  select t.task_id, t.created_at from public.tasks t order by t.created_at desc, t.task_id desc limit 100
), happened as (
  select r.task_id, r.received_at as ts, 0 as place, 'delivery' as what, r.source || ':' || r.source_name as who, r.outcome || ' ' || coalesce(r.code, '') as detail, r.receipt_id as seq
  from public.event_receipts r
  union all
  select e.task_id, e.ts, 1, 'event', e.agent, e.type || ' ' || e.idempotency_key, e.seq from public.events e
  union all
  select l.task_id, l.ts, 2, case l.outcome when 'refused' then 'refused' else 'change' end, l.actor,
    concat_ws(' ', l.action, l.object, l.code, l.after_json ->> 'status', l.after_json ->> 'reason'), l.id from public.audit_logs l
  union all
  select a.task_id, a.ts, 3, 'decision', a.role || ':' || a.approver, concat_ws(' ', a.decision, a.metadata ->> 'code', a.reason), 0 from public.approvals a
  union all
  select n.task_id, n.sent_at, 4, 'message', coalesce(n.recipient, 'console'), concat_ws(' ', n.kind, n.channel, n.message_id), n.seq
  from public.notifications n where n.sent_at is not null
  union all
  select f.task_id, coalesce(f.confirmed_at, f.sent_at, f.reserved_at), 5, 'effect', f.channel, concat_ws(' ', f.kind, f.status, f.idempotency_key), f.seq from public.effects f
)
select h.task_id, h.ts, h.what, h.who, trim(h.detail) as detail
from recent r join happened h using (task_id)
order by r.created_at desc, h.task_id desc, h.ts, h.place, h.seq;
