import { copyOfEvent, copyOfReceipt, effect, finding, type Plant, step, task } from "./plant.ts";

export const consistency: Plant[] = [
  finding(
    "duplicates",
    /event key was told twice/,
    "drop index public.events_idempotency_key",
    copyOfEvent("idempotency_key"),
  ),
  finding("duplicates", /task was published twice/, copyOfEvent("idempotency_key || ':again'")),
  finding(
    "duplicates",
    /effect key was reserved twice/,
    "alter table public.effects drop constraint effects_idempotency_key_key",
    "insert into public.effects (task_id, step_id, kind, channel, idempotency_key, payload_json) select task_id, step_id, kind, channel, idempotency_key, '{}' from public.effects limit 1",
  ),
  finding(
    "duplicates",
    /confirmed twice/,
    `insert into public.effects (task_id, step_id, kind, channel, idempotency_key, payload_json, status, confirmed_at)
     select task_id, step_id, kind, channel, idempotency_key || ':2', '{}', status, confirmed_at from public.effects where effect_id = ${effect}`,
  ),
  finding(
    "duplicates",
    /task was created twice/,
    "insert into public.events (task_id, type, agent, idempotency_key) select task_id, type, agent, idempotency_key || ':2' from public.events where type = 'TASK_CREATED' limit 1",
  ),
  finding("duplicates", /two accepted deliveries/, copyOfReceipt("interval '1 day'")),
  finding("duplicates", /within the window became a task/, copyOfReceipt("interval '30 seconds'")),
  finding(
    "duplicates",
    /no TASK_CREATED under its key/,
    "delete from public.events where type = 'TASK_CREATED'",
  ),
  finding(
    "dag_consistency",
    /belongs to no step/,
    "update public.artifacts set step_id = null where type = 'idea'",
  ),
  finding(
    "dag_consistency",
    /step that is not done/,
    `update public.task_steps set status = 'failed' where step_id = ${step("research")}`,
  ),
  finding(
    "dag_consistency",
    /output that is not stored/,
    "delete from public.artifacts where type = 'research'",
  ),
  finding(
    "dag_consistency",
    /done step has no output/,
    `update public.task_steps set output_ref = null where step_id = ${step("act")}`,
  ),
  finding(
    "dag_consistency",
    /done without an evaluation/,
    `delete from public.evaluations where task_id = ${task}`,
  ),
  finding(
    "dag_consistency",
    /quality score is not/,
    `update public.task_steps set quality_score = 0.5 where step_id = ${step("critic")}`,
  ),
  finding(
    "dag_consistency",
    /asked without a passing evaluation/,
    "update public.evaluations set verdict = 'fail'",
  ),
  finding(
    "dag_consistency",
    /node that does not exist/,
    `update public.task_steps set waits_for = '{nothing}' where step_id = ${step("act")}`,
  ),
  finding(
    "dag_consistency",
    /moved before its parent/,
    `update public.task_steps set started_at = created_at - interval '1 hour' where step_id = ${
      step("act")
    }`,
  ),
  finding(
    "dag_consistency",
    /done step never told it/,
    "delete from public.events where type = 'STEP_DONE'",
  ),
  finding(
    "dag_consistency",
    /ended task has open steps/,
    `update public.task_steps set status = 'pending' where step_id = ${step("archive")}`,
  ),
  finding(
    "dag_consistency",
    /archived task has an open effect/,
    `update public.effects set status = 'sent', confirmed_at = null where effect_id = ${effect}`,
  ),
  finding(
    "dag_consistency",
    /archived task has no evaluation/,
    `delete from public.evaluations where task_id = ${task}`,
  ),
  finding(
    "dag_consistency",
    /archived task never told it/,
    "delete from public.events where type = 'TASK_ARCHIVED'",
  ),
  finding(
    "digests",
    /checksum is not that of its content/,
    "update public.artifacts set content = 'other' where type = 'research'",
  ),
  finding(
    "digests",
    /digest is not that of what it was bound to/,
    `update public.approval_requests set bound_to = bound_to || '{"score":"1.0000","tier":"T0"}'`,
  ),
  finding(
    "digests",
    /artifacts that now read otherwise/,
    "update public.artifacts set content = 'other' where type = 'post'",
  ),
  finding(
    "digests",
    /not that of its marks/,
    "update public.evaluations set rubric = rubric || '{\"clarity\":0}'",
  ),
  finding(
    "digests",
    /of other bytes than its artifact/,
    "update public.evaluations set artifact_checksum = repeat('0', 64)",
  ),
  finding(
    "digests",
    /input hash is not/,
    "update public.tasks set payload_json = '{\"other\":true}'",
  ),
  finding(
    "digests",
    /key is not that of its step/,
    `update public.effects set idempotency_key = 'other' where effect_id = ${effect}`,
  ),
  finding(
    "digests",
    /policy text does not have/,
    "update public.policies set policy_text = policy_text || ' '",
  ),
  finding(
    "audit_fold",
    /no audit trail/,
    `delete from public.audit_logs where object = 'effect:' || ${effect}`,
  ),
  finding(
    "audit_fold",
    /audited row is gone/,
    `delete from public.approvals where task_id = ${task}`,
  ),
  finding(
    "audit_fold",
    /differs from its audit trail/,
    `update public.tasks set goal = 'another' where task_id = ${task}`,
  ),
  finding(
    "audit_fold",
    /differs from its audit trail/,
    "update public.approvals set ts = ts + interval '1 second'",
  ),
];
