-- lists: what was refused, by code and act: how often in the last day and in all, when last, by whom and on what.
-- Read: not_a_member, self_approval, sender_not_personal, digest_drift and illegal attempts deserve a look each; a sudden rise of any code is a lead.
select l.code, l.action, count(*) filter (where l.ts > now() - interval '24 hours') as last_day, count(*) as total,
  max(l.ts) as last_at, (array_agg(l.actor order by l.id desc))[1] as last_actor,
  (array_agg(l.object order by l.id desc))[1] as last_object, (array_agg(l.after_json ->> 'reason' order by l.id desc))[1] as last_reason
from public.audit_logs l
where l.outcome = 'refused'
group by l.code, l.action
order by last_day desc, total desc, l.code, l.action;
