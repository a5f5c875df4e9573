-- lists: what was stopped and resumed, who asked and who confirmed, and every glass that was broken, newest first.
-- Read: a resume or a grant names two people, one of them an owner; `used_for` is the one effect that a broken glass let through.
select s.at, s.what, s.subject, s.state, s.asked_by, s.confirmed_by, s.reason, s.used_for
from (
  select e.changed_at as at, 'stop' as what, e.scope as subject, e.state, null::text as asked_by, e.changed_by as confirmed_by, e.reason, null::text as used_for
  from public.emergency_stops e
  union all
  select c.asked_at, c.kind, coalesce(c.scope, c.task_id), coalesce(c.outcome, 'waits'), a.name, d.name, c.reason, g.effect_id::text
  from public.confirmations c
  join public.members a on a.member_id = c.asked_by
  left join public.members d on d.member_id = c.closed_by
  left join public.break_glass_grants g using (confirmation_id)
) s
order by s.at desc, s.what, s.subject;
