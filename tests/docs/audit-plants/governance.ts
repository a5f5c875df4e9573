import { effect, finding, type Plant, step, task } from "./plant.ts";

export const governance: Plant[] = [
  finding(
    "tier_overrides",
    /hides that its tier was changed/,
    "update public.approvals set tier = 'T3'",
  ),
  finding(
    "policy_alignment",
    /not exactly one active policy/,
    "update public.policies set status = 'retired'",
  ),
  finding(
    "policy_alignment",
    /policy text does not have/,
    "update public.policies set policy_text = policy_text || ' '",
  ),
  finding(
    "policy_alignment",
    /agent registry differs/,
    "update public.agents set agent = 'trader:other' where agent_class = 'trader'",
  ),
  finding(
    "policy_alignment",
    /policy that is not on record/,
    `update public.tasks set policy_sha256 = repeat('0', 64) where task_id = ${task}`,
  ),
  finding(
    "policy_alignment",
    /gives no tier/,
    `update public.tasks set action = 'DANCE' where task_id = ${task}`,
  ),
  finding(
    "policy_alignment",
    /^a task has a lower tier/,
    `update public.tasks set risk_tier = 'T1' where task_id = ${task}`,
  ),
  finding(
    "policy_alignment",
    /higher tier than any policy/,
    `update public.tasks set risk_tier = 'T3' where task_id = ${task}`,
  ),
  finding(
    "policy_alignment",
    /^a step has a lower tier/,
    `update public.task_steps set tier = 'T0' where step_id = ${step("publish")}`,
  ),
  finding(
    "policy_alignment",
    /asked for other approvals/,
    "update public.approval_requests set required_slots = '{owner_approval}'",
  ),
  finding(
    "approvals_that_do_not_fit",
    /has no approval request/,
    `update public.effects set request_id = null where effect_id = ${effect}`,
  ),
  finding(
    "approvals_that_do_not_fit",
    /request of another task/,
    `update public.approval_requests set task_id = (select min(task_id) from public.tasks where task_id <> ${task}) where task_id = ${task}`,
  ),
  finding(
    "approvals_that_do_not_fit",
    /did not consume/,
    `update public.approval_requests set status = 'approved' where task_id = ${task}`,
  ),
  finding(
    "approvals_that_do_not_fit",
    /after its approval expired/,
    `update public.effects set reserved_at = now() + interval '1 day' where effect_id = ${effect}`,
  ),
  finding(
    "approvals_that_do_not_fit",
    /another digest than its request/,
    `update public.effects set digest = repeat('0', 64) where effect_id = ${effect}`,
  ),
  finding(
    "approvals_that_do_not_fit",
    /distinct people do not fill/,
    `delete from public.approvals where task_id = ${task}`,
  ),
  finding(
    "approvals_that_do_not_fit",
    /distinct people do not fill/,
    "update public.approvals set role = 'reviewer'",
  ),
  finding(
    "approvals_that_do_not_fit",
    /no passing evaluation/,
    `delete from public.evaluations where task_id = ${task}`,
  ),
  finding(
    "approvals_that_do_not_fit",
    /simulated locally let/,
    `update public.approvals set metadata = metadata || '{"channel":"local-simulated"}' where task_id = ${task}`,
  ),
  finding(
    "approvals_that_do_not_fit",
    /not the post that was approved/,
    `update public.effects set payload_json = '{"text":"SELL everything"}' where effect_id = ${effect}`,
  ),
  finding(
    "approvals_that_do_not_fit",
    /approved their own request/,
    `update public.tasks set requester_person_id = (select person_id from public.approvals where task_id = ${task}) where task_id = ${task}`,
  ),
  finding(
    "approvals_that_do_not_fit",
    /decision names another digest/,
    "update public.approvals set digest = repeat('0', 64)",
  ),
  finding(
    "approvals_that_do_not_fit",
    /after its request had ended/,
    "update public.approvals set ts = ts + interval '1 day'",
  ),
  finding(
    "approvals_that_do_not_fit",
    /no artifacts on record/,
    "update public.approvals set metadata = metadata - 'artifacts'",
  ),
  finding(
    "approvals_that_do_not_fit",
    /no audit row/,
    "delete from public.audit_logs where object like 'approval:%'",
  ),
  finding(
    "privileges",
    /no row-level security/,
    "alter table public.limits disable row level security",
  ),
  finding("privileges", /write a table directly/, "grant update on public.tasks to service_role"),
  finding(
    "privileges",
    /write a column directly/,
    "grant update (enabled) on public.jobs to command_center",
  ),
  finding("privileges", /read that should not/, "grant select on public.tasks to anon"),
  finding(
    "privileges",
    /lets everybody in/,
    "create policy open on public.tasks for select to authenticated using (true)",
  ),
  finding(
    "privileges",
    /called by anybody/,
    "grant execute on function api.accept_event(jsonb) to anon",
  ),
  finding("privileges", /more than that/, "alter role auditor superuser"),
];
