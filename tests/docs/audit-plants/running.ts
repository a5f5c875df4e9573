import { effect, finding, type Plant, step, task } from "./plant.ts";

const memory = (taskId: string, age: string) =>
  `insert into public.working_memory (key, task_id, value, written_by, written_at, expires_at)
   values ('planted', ${taskId}, '{}', 'test', now() - interval '${age}', now() - interval '${age}' + interval '24 hours')`;

export const running: Plant[] = [
  finding("chaos_overdue", /^no chaos run is on record$/, "delete from public.chaos_runs"),
  finding(
    "chaos_overdue",
    /^no chaos run was recovered from$/,
    "update public.chaos_runs set recovered = false",
  ),
  finding(
    "chaos_overdue",
    /^the last chaos run is too old$/,
    "update public.chaos_runs set started_at = now() - interval '91 days', ended_at = now() - interval '91 days'",
  ),
  finding("mirror_missing", /^unknown$/, "delete from public.one_drive_assets"),
  finding(
    "mirror_missing",
    /^empty$/,
    "update public.one_drive_assets set object_key = 'other/' || object_key",
  ),
  finding(
    "mirror_missing",
    /^stale$/,
    "update public.one_drive_assets set synced_at = now() - interval '3 days'",
  ),
  finding(
    "mirror_missing",
    /^blank$/,
    "update public.one_drive_assets set etag = null, checksum = null",
  ),
  finding(
    "unknown_effects",
    /not seen/,
    `update public.effects set status = 'unknown', confirmed_at = null where effect_id = ${effect}`,
  ),
  finding(
    "stuck",
    /lease ran out/,
    `update public.task_steps set status = 'running', lease_token = gen_random_uuid(), lease_expires_at = now() - interval '5 minutes' where step_id = ${
      step("archive")
    }`,
  ),
  finding(
    "stuck",
    /waits for a worker/,
    `update public.task_steps set status = 'ready', run_at = now() - interval '1 hour' where step_id = ${
      step("archive")
    }`,
  ),
  finding(
    "stuck",
    /nothing that could move it/,
    `update public.tasks set status = 'running', ended_at = null, archived_at = null where task_id = ${task}`,
  ),
  finding(
    "stuck",
    /paused task waits/,
    `update public.tasks set status = 'paused', ended_at = null, archived_at = null where task_id = ${task}`,
  ),
  finding(
    "stuck",
    /past its expiry/,
    `update public.approval_requests set status = 'open', closed_at = null, expires_at = now() - interval '1 hour' where task_id = ${task}`,
  ),
  finding(
    "stuck",
    /does not end/,
    `update public.effects set status = 'reserved', confirmed_at = null, sent_at = null, reserved_at = now() - interval '1 hour' where effect_id = ${effect}`,
  ),
  finding(
    "stuck",
    /waits in the outbox/,
    "update public.notifications set status = 'queued', sent_at = null, run_at = now() - interval '1 hour' where kind = 'approval_card'",
  ),
  finding(
    "stuck",
    /job is overdue/,
    "update public.jobs set next_run_at = now() - interval '1 day' where job_name = 'reap_leases'",
  ),
  finding(
    "stuck",
    /job fails/,
    "update public.jobs set last_status = 'error', last_error = 'no' where job_name = 'reap_leases'",
  ),
  finding(
    "stuck",
    /raw data is older/,
    "update public.event_receipts set received_at = now() - interval '100 days'",
  ),
  finding(
    "stuck",
    /raw data is older/,
    "update public.telegram_updates set received_at = now() - interval '100 days'",
  ),
  finding("undelivered", /nobody was asked/, "update public.notifications set request_id = null"),
  finding(
    "undelivered",
    /given up/,
    "update public.notifications set status = 'failed', sent_at = null where kind = 'approval_card'",
  ),
  finding(
    "undelivered",
    /cannot write to a member/,
    "update public.members set unreachable_since = now(), unreachable_reason = 'blocked'",
  ),
  finding(
    "short_term_memory",
    /expired and was not purged/,
    memory("(select task_id from public.tasks limit 1)", "30 hours"),
  ),
  finding("short_term_memory", /belongs to no task/, memory("null", "1 hour")),
  finding(
    "short_term_memory",
    /outlived its task/,
    memory(task, "1 hour"),
    `update public.tasks set ended_at = now() - interval '3 hours' where task_id = ${task}`,
  ),
];
