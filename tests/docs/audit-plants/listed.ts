import { copyOfReceipt, effect, listing, type Plant, task } from "./plant.ts";

export const listed: Plant[] = [
  listing(
    "stops",
    "confirmed_by",
    /^stranger$/,
    "update public.emergency_stops set changed_by = 'stranger', state = 'stopped' where scope = 't3'",
  ),
  listing(
    "mirror",
    "object_key",
    /^dags\/other$/,
    "update public.one_drive_assets set object_key = 'dags/other'",
  ),
  listing(
    "policies",
    "activated_by",
    /^stranger$/,
    "update public.policies set activated_by = 'stranger'",
  ),
  listing(
    "human_in_the_loop",
    "approver",
    /^nobody$/,
    "update public.approvals set approver = 'nobody'",
  ),
  listing(
    "idempotency_counts",
    "repeats",
    /^2$/,
    copyOfReceipt("interval '1 day'"),
    "update public.event_receipts set idempotency_key = replace(idempotency_key, ':2', '')",
  ),
  listing(
    "event_deliveries",
    "skipped",
    /^4$/,
    "insert into public.consumer_receipts (consumer, event_id, skipped) select 'redis-relay', event_id, 4 from public.events limit 1",
  ),
  listing(
    "slo",
    "status",
    /^missed$/,
    "update public.tasks set status = 'failed', archived_at = null, ended_at = now()",
  ),
  listing(
    "members",
    "note",
    /several accounts/,
    "insert into public.members (name, role, person_id, telegram_user_id, added_by) select 'twin', role, person_id, '4711', 'x' from public.members limit 1",
  ),
  listing(
    "local_decisions",
    "channel",
    /^local-simulated$/,
    'update public.approvals set metadata = metadata || \'{"channel":"local-simulated"}\'',
  ),
  listing(
    "refusals",
    "code",
    /^self_approval$/,
    "insert into public.audit_logs (actor, action, object, outcome, code) values ('olga', 'approval.decide', 'request:x', 'refused', 'self_approval')",
  ),
  listing(
    "timeline",
    "detail",
    /^clock\.jump/,
    `insert into public.audit_logs (actor, action, object, task_id) values ('x', 'clock.jump', 'x', ${task})`,
  ),
  listing(
    "notification_trail",
    "status",
    /^blocked$/,
    "update public.notifications set status = 'blocked', sent_at = null",
  ),
  listing(
    "t3_gate",
    "effect",
    /^sent$/,
    `update public.approval_requests set tier = 'T3' where task_id = ${task}`,
    `update public.effects set status = 'sent', confirmed_at = null where effect_id = ${effect}`,
  ),
  listing(
    "published",
    "text",
    /^SELL$/,
    `update public.effects set payload_json = '{"text":"SELL"}' where effect_id = ${effect}`,
  ),
  listing(
    "incidents",
    "code",
    /^mirror_lost$/,
    `insert into public.events (task_id, type, agent, idempotency_key, payload_json) values (${task}, 'INCIDENT_RAISED', 'x', 'x:incident', '{"code":"mirror_lost"}')`,
  ),
];
