-- finds: people who should have been told and were not.
-- Read: a request that nobody was asked about will expire; a blocked member has to send /start to the bot; a failed message was given up.
select 'nobody was asked to decide a request' as finding, 'request:' || r.request_id as object, r.task_id,
  format('%s needs %s', r.code, r.required_slots) as detail
from public.approval_requests r where not exists (select 1 from public.notifications n
  where n.request_id = r.request_id and n.kind = 'approval_card')
union all
select 'a message was given up', 'notification:' || n.notification_id, n.task_id, format('%s to %s, %s: %s', n.kind, coalesce(n.recipient, 'console'), n.status, coalesce(n.last_error, 'no reason'))
from public.notifications n where n.status in ('blocked', 'failed')
  -- What a newer message replaced was not lost.
  and coalesce(n.last_error, '') !~ '(the request closed first|a newer edit follows|overtaken)$'
union all
select 'the bot cannot write to a member', 'member:' || m.member_id, null, format('%s (%s): %s', m.name, m.role, m.unreachable_reason)
from public.members m where m.status = 'active' and m.unreachable_since is not null
order by 1, 2;
