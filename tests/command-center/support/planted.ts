/** A session that may write past triggers: the owner of an embedded database, a superuser of a native one. */
export interface Planting {
  pg: { exec(statements: string): Promise<unknown> };
}

/** Rows in every state that a page tells apart, written past the transitions: what is tested is looking, not moving. */
export async function plantRows(db: Planting): Promise<void> {
  await past(db, tasks + steps + decisions + around);
}

/** As many tasks as are asked for, half of them open, with six steps each. */
export async function plantTasks(db: Planting, count: number): Promise<void> {
  await past(
    db,
    `insert into public.tasks (task_id, status, actor, goal, risk_tier, action, source, created_at, ended_at, archived_at)
     select 'T-2026-11-20-' || lpad(i::text, 5, '0'), st, 'desk', 'Publish an idea about BTCUSDT, number ' || i, 'T' || i % 4,
       'PUBLISH_IDEA', 'tradingview', at, case when st in ('archived', 'failed') then at + took end, case when st = 'archived' then at + took end
     from (select i, (array['created', 'planned', 'running', 'awaiting_approval', 'publishing', 'paused', 'archived', 'archived', 'archived',
         'archived', 'failed', 'archived'])[1 + i % 12] as st, now() - i * interval '15 seconds' as at, (2 + i % 7) * interval '1 second' as took
       from generate_series(1, ${count}) i) x;
     insert into public.task_steps (task_id, node_id, status, agent, agent_class, action, tier, after, lease_token, lease_expires_at, worker, started_at)
     select t.task_id, n, case when leased then 'running' when t.status = 'archived' then 'done' when t.status = 'planned' and n = 'research' then 'ready'
         else 'pending' end, n, n, t.action, t.risk_tier, '{}', case when leased then gen_random_uuid() end,
       case when leased then now() + interval '20 seconds' end, case when leased then 'worker-1' end, now()
     from public.tasks t cross join unnest(array['research', 'retrieve', 'plan_idea', 'critic', 'approval', 'publish']) n
       cross join lateral (select t.status = 'running' and n = 'research' and right(t.task_id, 1) = '2' as leased) l
     where t.status <> 'created' and t.task_id like 'T-2026-11-20-%';
     analyze public.tasks; analyze public.task_steps`,
  );
}

async function past(db: Planting, statements: string): Promise<void> {
  await db.pg.exec(
    `reset role; set session_replication_role = replica; ${statements};
     set session_replication_role = origin; set role service_role`,
  );
}

const tasks = `
insert into public.tasks (task_id, status, actor, goal, risk_tier, action, source, created_at, ended_at, archived_at, reason, policy_sha256) values
  ('T-2026-11-21-0001', 'running', 'desk', 'Publish an idea about BTCUSDT', 'T1', 'PUBLISH_IDEA', 'tradingview', now() - interval '3 minutes', null, null, null, null),
  ('T-2026-11-21-0002', 'awaiting_approval', 'desk', 'Buy 0.5 ETHUSDT on the paper account', 'T3', 'EXECUTE_TRADE', 'tradingview', now() - interval '2 hours', null, null, null, null),
  ('T-2026-11-21-0003', 'paused', 'otto', 'Announce the maintenance window', 'T2', 'PUBLISH_IDEA', 'desk', now() - interval '1 day', null, null, 'the outcome of the effect was not seen', null),
  ('T-2026-11-21-0004', 'created', 'desk', 'Publish an idea about SOLUSDT', 'T3', 'PUBLISH_IDEA', 'tradingview', now() - interval '20 seconds', null, null, null, null),
  ('T-2026-11-21-0005', 'planned', 'desk', 'Publish an idea about <b>markup</b> & "quotes"', 'T1', 'PUBLISH_IDEA', 'tradingview', now() - interval '40 seconds', null, null, null, null),
  ('T-2026-11-21-0006', 'running', 'desk', 'Publish an idea about XRPUSDT', 'T1', 'PUBLISH_IDEA', 'tradingview', now() - interval '4 hours', null, null, null, null),
  ('T-2026-11-21-0007', 'awaiting_approval', 'desk', 'Nobody was asked about this one', 'T2', 'PUBLISH_IDEA', 'tradingview', now() - interval '5 hours', null, null, null, null),
  ('T-2026-11-21-0008', 'archived', 'desk', 'Publish an idea about ADAUSDT', 'T1', 'PUBLISH_IDEA', 'tradingview', now() - interval '1 hour', now() - interval '59 minutes', now() - interval '59 minutes', null, null),
  ('T-2026-11-21-0009', 'pending_exec', 'desk', 'Sell 1 BTCUSDT on the paper account', 'T3', 'EXECUTE_TRADE', 'tradingview', now() - interval '3 hours', null, null, null, null);
insert into public.tasks (task_id, status, actor, goal, risk_tier, action, source, created_at, ended_at, archived_at)
  select 'T-2026-11-19-' || lpad(i::text, 4, '0'), 'archived', 'desk', 'An earlier idea, number ' || i, 'T' || i % 4, 'PUBLISH_IDEA', 'tradingview',
    at, at + took, at + took
  from (select i, now() - interval '47 hours' + i * interval '9 minutes' as at, (3 + (i * 7) % 11) * interval '1 second' as took
    from generate_series(1, 300) i where i not between 90 and 140) x;
`;

const steps = `
insert into public.task_steps (step_id, task_id, node_id, status, agent, agent_class, action, tier, after, waits_for, lease_token, lease_expires_at, worker, attempt, failures, started_at, ended_at, last_code, last_error, quality_score, created_at)
select gen_random_uuid(), t.task_id, n.node, case
    when t.task_id like '%0001' then (array['done', 'done', 'running', 'pending', 'pending', 'pending'])[n.place]
    when t.task_id like '%0002' then (array['done', 'done', 'done', 'done', 'awaiting_approval', 'pending'])[n.place]
    when t.task_id like '%0003' then (array['done', 'done', 'done', 'done', 'done', 'stale'])[n.place]
    when t.task_id like '%0005' then (array['ready', 'ready', 'pending', 'pending', 'pending', 'pending'])[n.place]
    else 'done' end,
  n.agent, n.agent, t.action, t.risk_tier, n.after, n.after,
  case when t.task_id like '%0001' and n.place = 3 then gen_random_uuid() end,
  case when t.task_id like '%0001' and n.place = 3 then now() + interval '20 seconds' end,
  case when t.task_id like '%0001' and n.place = 3 then 'desk-7' end,
  1, case when n.node = 'retrieve' then 1 else 0 end, t.created_at + n.place * interval '2 seconds',
  case when not (t.task_id like '%0001' and n.place >= 3) and t.task_id not like '%0005' then t.created_at + n.place * interval '3 seconds' end,
  case when n.node = 'retrieve' then 'unavailable' end, case when n.node = 'retrieve' then 'the source did not answer' end, null, t.created_at
from public.tasks t cross join (values
  (1, 'research', 'researcher', '{}'::text[]), (2, 'retrieve', 'retriever', '{}'), (3, 'plan_idea', 'planner', '{research,retrieve}'),
  (4, 'critic', 'critic', '{plan_idea}'), (5, 'approval', 'communicator', '{critic}'), (6, 'publish', 'communicator', '{approval}')) n (place, node, agent, after)
where t.task_id like 'T-2026-11-21-%' and t.status <> 'created';
insert into public.events (task_id, type, agent, idempotency_key, schema_version, ts)
  select t.task_id, e.type, e.agent, t.task_id || ':' || e.type, '1.0', t.created_at + e.after_s * interval '1 second'
  from public.tasks t cross join (values ('TASK_CREATED', 'intake', 0), ('STEP_READY', 'planner', 1), ('STEP_DONE', 'researcher', 4)) e (type, agent, after_s)
  where t.task_id like 'T-2026-11-21-%';
insert into public.artifacts (task_id, step_id, type, storage_ref, checksum, agent, media_type, content)
  select s.task_id, s.step_id, 'idea', 'supa://artifacts/' || s.task_id || '/idea.json', encode(sha256(s.task_id::bytea), 'hex'), s.agent, 'application/json', '{}'
  from public.task_steps s where s.node_id = 'plan_idea' and s.status = 'done';
insert into public.evaluations (task_id, step_id, artifact_id, artifact_checksum, critic, author, rubric, rubric_sha256, total, score, threshold, verdict, red_flags, created_at)
  select a.task_id, a.step_id, a.artifact_id, a.checksum, 'critic', a.agent, '{"factuality": 2, "evidence": 2, "clarity": 2, "risk": 1, "policy": 1}',
    a.checksum, 8, 0.8889, 0.75, 'pass', '{}', now() - interval '1 hour'
  from public.artifacts a;
insert into public.evaluations (task_id, artifact_id, step_id, artifact_checksum, critic, author, rubric, rubric_sha256, total, score, threshold, verdict, red_flags, created_at)
  select a.task_id, a.artifact_id, a.step_id, a.checksum, 'critic', a.agent, '{"factuality": 1}', a.checksum, 3, 0.3333, 0.75, 'fail', '{unsourced}', now() - h * interval '1 hour'
  from (select * from public.artifacts order by task_id limit 1) a cross join unnest(array[2, 5, 9, 21, 30]) h;
`;

const decisions = `
insert into public.members (member_id, name, role, telegram_user_id, added_by) values
  ('00000000-0000-4000-8000-000000000001', 'otto', 'operator', '1001', 'test'), ('00000000-0000-4000-8000-000000000002', 'olga', 'owner', '1002', 'test');
insert into public.approval_requests (request_id, code, status, subject_id, task_id, step_id, tier, action, required_slots, digest, bound_to, requested_at, expires_at, closed_at)
  select gen_random_uuid(), replace(replace(t.task_id, 'T-2026-11-21-', t.risk_tier || '-20261121-'), '-T', ''), case when t.status = 'pending_exec' then 'approved' else 'open' end,
    t.task_id, t.task_id, s.step_id, t.risk_tier, t.action, array['operator', 'owner'], encode(sha256(t.task_id::bytea), 'hex'),
    jsonb_build_object('task', t.task_id, 'action', t.action, 'artifacts', jsonb_build_array(jsonb_build_object('type', 'idea', 'sha256', encode(sha256('x'), 'hex')))),
    now() - interval '110 minutes', now() + interval '4 minutes', case when t.status = 'pending_exec' then now() - interval '1 hour' end
  from public.tasks t join public.task_steps s on s.task_id = t.task_id and s.node_id = 'approval'
  where t.task_id in ('T-2026-11-21-0002', 'T-2026-11-21-0009');
insert into public.approvals (task_id, step_id, tier, approver, decision, ts, request_id, member_id, person_id, role, digest)
  select q.task_id, q.step_id, q.tier, m.name, 'approve', now() - interval '100 minutes', q.request_id, m.member_id, m.person_id, m.role, q.digest
  from public.approval_requests q join public.members m on m.name = 'otto' or q.status = 'approved';
insert into public.effects (status, task_id, step_id, kind, channel, idempotency_key, payload_json, attempt, reserved_at, sent_at, last_error)
  select 'unknown', s.task_id, s.step_id, 'publish', 'telegram', s.task_id || ':publish', '{}', 1, now() - interval '23 hours', now() - interval '23 hours', 'no answer within 10 s'
  from public.task_steps s where s.task_id = 'T-2026-11-21-0003' and s.node_id = 'publish';
`;

const around = `
insert into public.audit_logs (actor, action, object, task_id, outcome, code, ts) values
  ('desk', 'event.accept', 'task:T-2026-11-21-0002', 'T-2026-11-21-0002', 'done', null, now() - interval '2 hours'),
  ('rita', 'approval.decide', 'request:T3-20261121-0002', 'T-2026-11-21-0002', 'refused', 'wrong_role', now() - interval '90 minutes');
insert into public.event_receipts (source, source_name, body_sha256, content_type, body, task_id, outcome, received_at)
  select 'tradingview', 'desk', encode(sha256(i::text::bytea), 'hex'), 'application/json', '{}', 'T-2026-11-21-0001',
    case when i % 9 = 0 then 'duplicate' else 'accepted' end, now() - i * interval '29 minutes'
  from generate_series(1, 90) i;
insert into public.alerts (code, severity, subject, value, threshold, task_id) values
  ('effect_unknown', 'critical', 'T-2026-11-21-0003', null, null, 'T-2026-11-21-0003'), ('secret_overdue', 'warning', 'TELEGRAM_BOT_TOKEN', '95 d', '90 d', null);
insert into public.agent_heartbeats (worker, agent_class, status, current_task_id, current_step_id, dependency, failure_mode, last_success_at, started_at, beat_at, interval_seconds)
  select 'desk-7', b.class, b.status, s.task_id, s.step_id, b.dependency, b.failure, now() - interval '1 minute', now() - interval '1 hour', now() - b.age, 10
  from (values ('planner', 'busy', 'T-2026-11-21-0001', null, null, interval '2 seconds'), ('researcher', 'idle', null, 'prices', null, interval '2 seconds'),
    ('executor', 'rate_limited', null, 'the broker', 'rate_limited', interval '3 seconds'), ('trader', 'idle', null, null, null, interval '9 minutes'),
    ('critic', 'busy', 'T-2026-11-21-0008', null, null, interval '4 seconds')) b (class, status, task, dependency, failure, age)
  left join public.task_steps s on s.task_id = b.task and s.node_id = case b.class when 'planner' then 'plan_idea' else 'critic' end;
update public.circuit_breakers set state = 'open', consecutive_failures = 5, opened_at = now(), first_opened_at = now(), reason = 'five failures within 60 s'
  where tool = (select min(tool) from public.circuit_breakers);
update public.jobs set last_run_at = now() - interval '2 seconds', last_status = 'ok', next_run_at = now() + interval '3 seconds';
update public.jobs set last_run_at = now() - interval '40 seconds', last_status = 'error', last_error = 'no space left on the device', next_run_at = now() + interval '1 day' where job_name = 'prune_history';
update public.jobs set enabled = false where job_name = 'expire_requests';
update public.event_consumers set paused = true, paused_by = 'otto', paused_at = now(), pause_reason = 'maintenance of the bot until 18:00' where consumer = 'communicator';
`;
