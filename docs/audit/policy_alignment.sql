-- finds: work, agents or tiers that do not follow the policy they were done under.
-- Read: every row is trouble; a tier that was changed by a person is no finding while approvals.metadata holds the override.
with active as (
  select p.* from public.policies p where p.status = 'active'
), action_tiers as (
  select p.policy_sha256, a.action, t.key as tier
  from public.policies p, jsonb_each(p.body -> 'risk_tiers') t, jsonb_array_elements_text(t.value) a(action)
  union all
  select p.policy_sha256, a.key, a.value ->> 'tier'
  from public.policies p, jsonb_each(coalesce(p.body -> 'platform_actions', '{}')) a
), planned as (
  select t.task_id, t.risk_tier, t.action, t.policy_sha256, x.tier as action_tier,
    greatest(x.tier, (select max(s.tier) from public.task_steps s where s.task_id = t.task_id)) as due_tier,
    exists (select 1 from public.approvals a where a.task_id = t.task_id and a.metadata ? 'override') as overridden
  from public.tasks t left join action_tiers x on x.policy_sha256 = t.policy_sha256 and x.action = t.action
  where t.policy_sha256 is not null
)
select 'there is not exactly one active policy' as finding, 'policies' as object, null::text as task_id,
  count(*) || ' active' as detail
from active having count(*) <> 1
union all
select 'a policy text does not have the sha256 it is known by', 'policy:' || p.policy_sha256, null,
  encode(sha256(convert_to(p.policy_text, 'UTF8')), 'hex')
from public.policies p where encode(sha256(convert_to(p.policy_text, 'UTF8')), 'hex') <> p.policy_sha256
union all
select 'the agent registry differs from the active policy', 'agent:' || coalesce(g.agent_class, e.key), null,
  format('registry %s, policy %s', coalesce(g.agent, 'nothing'), coalesce(e.value, 'nothing'))
from (select x.* from active p, jsonb_each_text(p.body -> 'agents' || jsonb_strip_nulls(coalesce(p.body -> 'optional_agents', '{}'))) x) e
full join (select a.agent_class, a.agent from public.agents a where a.enabled) g on g.agent_class = e.key
where g.agent is distinct from e.value
union all
select 'a task was planned under a policy that is not on record', 'task:' || n.task_id, n.task_id, n.policy_sha256
from planned n where not exists (select 1 from public.policies p where p.policy_sha256 = n.policy_sha256)
union all
select 'a task has an action that its policy gives no tier', 'task:' || n.task_id, n.task_id, n.action
from planned n where n.action_tier is null
  and exists (select 1 from public.policies p where p.policy_sha256 = n.policy_sha256)
union all
select 'a task has a lower tier than its action or steps, and no override is documented', 'task:' || n.task_id,
  n.task_id, format('%s instead of %s', n.risk_tier, n.due_tier)
from planned n where n.risk_tier < n.due_tier and not n.overridden
union all
-- A policy that came later may raise a task; a person who does leaves an override.
select 'a task has a higher tier than any policy gives it, and no override is documented', 'task:' || n.task_id,
  n.task_id, format('%s instead of %s', n.risk_tier, n.due_tier)
from planned n where n.risk_tier > n.due_tier and not n.overridden
  and not exists (select 1 from action_tiers x where x.action = n.action and x.tier >= n.risk_tier)
union all
select 'a step has a lower tier than its action', 'step:' || s.step_id, s.task_id, format('%s is %s instead of %s', s.action, s.tier, x.tier)
from public.task_steps s join public.tasks t using (task_id)
join action_tiers x on x.policy_sha256 = t.policy_sha256 and x.action = s.action
where s.tier < x.tier
union all
select 'a request asked for other approvals than its policy', 'request:' || r.request_id, r.task_id,
  format('%s instead of %s', r.required_slots, array(select k from jsonb_array_elements_text(p.body -> 'approvals' -> r.tier) k where k like '%\_approval'))
from public.approval_requests r join public.policies p on p.policy_sha256 = r.bound_to ->> 'policy'
where r.required_slots <> array(select k from jsonb_array_elements_text(p.body -> 'approvals' -> r.tier) k where k like '%\_approval')
order by 1, 2;
