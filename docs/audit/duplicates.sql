-- finds: facts, tasks or effects that exist twice where there may be one.
-- Read: every row is a duplicate that got past its key; merged repeats are no finding, idempotency_counts counts them. Windows are those of the active policy, so a window that was widened shows older deliveries.
with windows as (
  select coalesce((select (p.body #>> '{windows,duplicate_seconds}')::numeric from public.policies p where p.status = 'active'), 60) as plain,
    coalesce((select (p.body #>> '{windows,alert_id_seconds}')::numeric from public.policies p where p.status = 'active'), 86400) as with_id
), accepted as (
  select r.*, lag(r.received_at) over (partition by r.source, r.source_name, r.body_sha256, r.source_event_id order by r.received_at) as earlier
  from public.event_receipts r where r.outcome = 'accepted'
)
select 'an event key was told twice' as finding, 'event:' || e.idempotency_key as object, min(e.task_id) as task_id,
  count(*) || ' events' as detail
from public.events e group by e.idempotency_key having count(*) > 1
union all
select 'an effect key was reserved twice', 'effect:' || e.idempotency_key, min(e.task_id), count(*) || ' effects'
from public.effects e group by e.idempotency_key having count(*) > 1
union all
select 'a step had its effect confirmed twice', 'step:' || e.step_id, e.task_id, count(*) || ' confirmed'
from public.effects e where e.status = 'confirmed' group by e.step_id, e.task_id having count(*) > 1
union all
select 'a task was published twice', 'task:' || e.task_id, e.task_id, count(*) || ' PUBLISH_OK'
from public.events e where e.type = 'PUBLISH_OK' group by e.task_id having count(*) > 1
union all
select 'a task was created twice', 'task:' || e.task_id, e.task_id, count(*) || ' TASK_CREATED'
from public.events e where e.type = 'TASK_CREATED' group by e.task_id having count(*) > 1
union all
select 'two accepted deliveries made one task', 'task:' || r.task_id, r.task_id, count(*) || ' accepted receipts'
from accepted r group by r.task_id having count(*) > 1
union all
select 'a repeat within the window became a task of its own', 'receipt:' || r.receipt_id, r.task_id,
  format('%s after the first', r.received_at - r.earlier)
from accepted r, windows w
where r.received_at - r.earlier
  < make_interval(secs => (case when r.source_event_id is null then w.plain else w.with_id end)::double precision)
union all
select 'an accepted delivery has no TASK_CREATED under its key', 'receipt:' || r.receipt_id, r.task_id, r.idempotency_key
from accepted r where not exists (select 1 from public.events e
  where e.idempotency_key = r.idempotency_key and e.type = 'TASK_CREATED' and e.task_id = r.task_id)
order by 1, 2;
