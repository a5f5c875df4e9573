-- I11: nothing leaves later than a second after a stop was committed, unless a glass was broken for it.
with change as (
  select a.ts, a.object, coalesce(a.after_json ->> 'state', '') as state,
    lead(a.ts) over (partition by a.object order by a.id) as until
  from public.audit_logs a where a.object like 'stop:%' and a.outcome = 'done' and (a.after_json ? 'state' or a.after_json is null)
)
select 'an effect began after a stop' as finding, e.payload_json ->> 'effect_id' as object
from public.events e join change c on c.state <> 'running' and e.ts > c.ts + interval '1 second' and e.ts < coalesce(c.until, 'infinity')
join public.tasks t on t.task_id = e.task_id
where e.type = 'EFFECT_SENT' and (c.object = 'stop:all' or t.risk_tier = 'T3')
  and not exists (select 1 from public.break_glass_grants g where g.task_id = e.task_id and g.used_at is not null)
