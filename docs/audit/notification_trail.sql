-- lists: every prompt, edit, reply and announcement: channel, recipient, message id, when it was queued and sent, in how many attempts.
-- Read: a T2 or T3 decision has a sent approval_card before it; `blocked` and `failed` rows never reached anybody (undelivered finds those that matter).
select n.created_at, n.sent_at, n.kind, n.status, n.channel, n.recipient, n.message_id, n.attempt, n.task_id, r.code, n.last_error
from public.notifications n left join public.approval_requests r using (request_id)
order by n.seq desc;
