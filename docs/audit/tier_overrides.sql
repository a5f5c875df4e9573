-- finds: decisions in another tier than the policy gives the action, without the override on record (metadata.tier_override: from, to, reason).
-- Read: a tier is only ever raised, by the plan or by an older policy, and each decision says so; every row was written past the commands.
select 'a decision hides that its tier was changed' as finding, a.approval_id::text as object, a.task_id,
  format('%s is %s by the policy, decided as %s', r.action, coalesce(t.tier, p.body #>> array['platform_actions', r.action, 'tier'], 'nothing'), a.tier) as detail
from public.approvals a
join public.approval_requests r using (request_id)
join public.policies p on p.policy_sha256 = r.bound_to ->> 'policy'
left join lateral (select max(k.key) as tier from jsonb_each(p.body -> 'risk_tiers') k where k.value ? r.action) t on true
where a.tier is distinct from coalesce(t.tier, p.body #>> array['platform_actions', r.action, 'tier'])
  and a.metadata #>> '{tier_override,to}' is distinct from a.tier
order by 2;
