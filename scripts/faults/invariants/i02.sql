-- I2: an effect is seen at most once outside, and leaves here at most once unless the receiver certainly did not take it.
select 'the sink saw a key twice' as finding, s.effect_key as object
from pg_temp.sink s group by s.effect_key having count(*) > 1
union all
select 'two effects of one key', min(e.effect_id::text) from public.effects e group by e.idempotency_key having count(*) > 1
union all
select 'an effect left again though its outcome was open', 'effect:' || l.effect
from (
  select substr(a.object, 8) as effect, a.before_json ->> 'status' as was, a.after_json ->> 'status' as became,
    lag(a.after_json ->> 'status') over (partition by a.object order by a.id) as before_that
  from public.audit_logs a where a.outcome = 'done' and a.object like 'effect:%' and a.after_json ? 'status'
) l where l.became = 'sent' and l.was is distinct from 'reserved'
