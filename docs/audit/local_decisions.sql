-- lists: decisions that were simulated on this machine (metadata.channel = 'local-simulated') instead of coming from a phone.
-- Read: expected in a demo or on a laptop without a bot; on a database that serves a real bot every row needs an explanation.
select a.ts, r.code, a.tier, a.task_id, a.approver, a.role, a.decision, a.metadata ->> 'channel' as channel,
  e.channel as effect_channel, e.status as effect_status
from public.approvals a join public.approval_requests r using (request_id)
left join public.effects e on e.request_id = r.request_id
where a.metadata ->> 'channel' = 'local-simulated'
order by a.ts desc, a.approval_id;
