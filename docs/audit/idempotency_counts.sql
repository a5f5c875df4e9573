-- lists: how many rows and how many distinct idempotency keys each stream has, over all time and the last day.
-- Read: events and effects must show as many keys as rows; in event_receipts the difference is the repeats that were merged, and keys must equal the tasks they made.
with streams as (
  select 'events' as stream, e.idempotency_key as key, e.ts from public.events e
  union all select 'event_receipts', r.idempotency_key, r.received_at from public.event_receipts r where r.outcome <> 'refused'
  union all select 'effects', f.idempotency_key, f.reserved_at from public.effects f
)
select s.stream, w.span as "window", count(s.key) as total, count(distinct s.key) as distinct_keys,
  count(s.key) - count(distinct s.key) as repeats,
  case when s.stream = 'event_receipts' then (select count(distinct r.task_id) from public.event_receipts r
    where r.outcome <> 'refused' and r.received_at >= w.since) end as tasks
from streams s
join (values ('all', '-infinity'::timestamptz), ('24 h', now() - interval '24 hours')) w(span, since) on s.ts >= w.since
group by s.stream, w.span, w.since
order by s.stream, w.span;
