-- I3: a step is completed by the holder of the current lease: every completion follows a claim, one completion a claim.
with move as (
  select a.object, a.id, a.before_json ->> 'status' as was, a.after_json ->> 'status' as became,
    lag(a.after_json ->> 'status') over w as before_that, a.before_json ? 'lease_token' as gave_up_lease
  from public.audit_logs a
  where a.outcome = 'done' and a.object like 'step:%' and a.after_json ? 'status'
  window w as (partition by a.object order by a.id)
)
select 'a step was completed that nobody held' as finding, m.object
from move m where m.became = 'done' and m.was = 'running' and (m.before_that is distinct from 'running' or not m.gave_up_lease)
union all
select 'a step became done from a state that has no such edge', m.object
from move m where m.became = 'done' and m.was not in ('running', 'awaiting_approval', 'stale')
