-- finds: effects whose outcome nobody saw.
-- Read: look at the channel whether it happened (payload and time tell what to look for), then settle the effect (docs/security.md); it is never tried again by itself.
select 'the outcome of an effect was not seen' as finding, 'effect:' || e.effect_id as object, e.task_id,
  format('%s to %s, sent %s, attempt %s, task %s: %s', e.kind, coalesce(e.destination, e.channel), coalesce(e.sent_at::text, 'never'),
    e.attempt, t.status, left(coalesce(e.payload_json ->> 'text', e.payload_json::text), 120)) as detail
from public.effects e join public.tasks t using (task_id)
where e.status = 'unknown'
order by e.seq;
