-- lists: for each consumer and month, how many deliveries it had, of how many events, and how many were repeats.
-- Read: skipped is harmless, the copy was recognised; handed_again is work that was begun more than once, less what was sent back on purpose. Keys and deliveries are equal where nothing came twice; idempotency_counts says the same of the door.
select r.consumer, to_char(r.last_delivered_at at time zone 'UTC', 'YYYY-MM') as month,
  sum(r.handed + r.skipped) as deliveries, count(*) as distinct_keys, sum(r.skipped) as skipped,
  sum(greatest(r.handed - r.rewound - 1, 0)) as handed_again, sum(r.rewound) as sent_back,
  count(*) filter (where r.consumed_at is null) as not_finished
from public.consumer_receipts r
group by 1, 2
order by 1, 2;
