-- I13: a breaker takes the edges that it has, leaves an audit row for each, and asks again by itself only after its rest.
with move as (
  select a.object, a.ts, a.actor, a.before_json ->> 'state' as was, a.after_json ->> 'state' as became,
    lag(a.after_json ->> 'state') over w as before_that, lag(a.ts) over w as since
  from public.audit_logs a
  where a.outcome = 'done' and a.object like 'breaker:%' and a.after_json ? 'state'
  window w as (partition by a.object order by a.id)
)
select 'a breaker took an edge that it does not have' as finding, m.object
from move m where not exists (select 1 from private.transitions t
  where t.subject = 'breaker' and t.from_status = coalesce(m.was, '(new)') and t.to_status = m.became)
union all
select 'a breaker has no audit row for a change', m.object
from move m where m.was is not null and m.was is distinct from m.before_that
union all
select 'a breaker asked before it had rested', m.object
from move m where m.was = 'open' and m.became = 'half_open' and m.actor = 'breaker' and m.ts < m.since + private.breaker_rest()
union all
select 'a breaker is not where its trail ends', 'breaker:' || b.tool
from public.circuit_breakers b where b.state is distinct from (select a.after_json ->> 'state' from public.audit_logs a
  where a.object = 'breaker:' || b.tool and a.outcome = 'done' and a.after_json ? 'state' order by a.id desc limit 1)
