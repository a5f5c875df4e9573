-- lists: every T3 task that reached its gate: who has decided, which approval is still missing, when it lapses, and whether anything left.
-- Read: `half` waits for the second person, `held` is approved and waits for T3 effects to be switched on, and `effect` must be `none` as long as they are off.
select t.task_id, r.code, t.action, t.status as task_status, r.status as request_status,
  case when r.status = 'open' and count(a.approval_id) > 0 then 'half' when t.status = 'pending_exec' then 'held' else r.status end as gate,
  r.required_slots, string_agg(format('%s (%s) %s', a.approver, a.role, a.decision), ', ' order by a.ts) as decided,
  array(select s from unnest(r.required_slots) s where not exists (select 1 from public.approvals y join public.policies p on p.policy_sha256 = r.bound_to ->> 'policy'
    where y.request_id = r.request_id and y.decision = 'approve' and p.body -> 'roles' -> s ? y.role
      and not exists (select 1 from public.approvals n where n.request_id = y.request_id and n.person_id = y.person_id and n.decision = 'reject'))) as missing,
  r.expires_at, coalesce((select string_agg(e.status, ', ') from public.effects e where e.task_id = t.task_id), 'none') as effect
from public.approval_requests r join public.tasks t using (task_id)
left join public.approvals a using (request_id)
where r.tier = 'T3'
group by t.task_id, r.request_id
order by r.requested_at desc, r.code;
