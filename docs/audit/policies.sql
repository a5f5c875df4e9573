-- lists: every policy that was ever proposed or active, newest first: who activated it, when, and how many tasks were planned under it.
-- Read: the first row is in force; compare its policy_sha256 with `sha256sum policies/policy.yaml` of the reviewed commit, and every activated_by with an owner's directive.
select p.status, p.version, p.policy_sha256, p.activated_at, p.activated_by,
  p.body -> 'approvals' as approvals,
  (select count(*) from public.tasks t where t.policy_sha256 = p.policy_sha256) as tasks
from public.policies p
order by p.status, p.activated_at desc;
