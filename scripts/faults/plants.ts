import type { Outside } from "./invariants.ts";

/** Rows that break one invariant, and what it must say of them. */
export interface Plant {
  invariant: string;
  finding: string;
  sql: string[];
  outside?: Partial<Outside>;
}

const effect = "(select effect_id from public.effects where status = 'confirmed' limit 1)";
const atGate = "(select task_id from public.tasks where status = 'awaiting_approval' limit 1)";
const doneStep =
  "(select step_id from public.task_steps where node_id = 'act' and status = 'done' order by step_id limit 1)";
const audit = (object: string, was: string, became: string) =>
  `insert into public.audit_logs (actor, action, object, before_json, after_json) values ('planted', 'planted', ${object}, '${was}', '${became}')`;

export const plants: Plant[] = [
  {
    invariant: "I1",
    finding: "an acknowledged task is not there",
    sql: [],
    outside: { acknowledged: ["T-2020-01-01-0001"] },
  },
  {
    invariant: "I1",
    finding: "an accepted delivery told nobody",
    sql: ["delete from public.events where type = 'TASK_CREATED'"],
  },
  {
    invariant: "I1",
    finding: "a task was never planned for",
    sql: [`delete from public.task_steps where task_id = ${atGate}`],
  },
  {
    invariant: "I1",
    finding: "an open task has nothing left to do",
    sql: [`update public.task_steps set status = 'cancelled' where task_id = ${atGate}`],
  },
  { invariant: "I2", finding: "the sink saw a key twice", sql: [], outside: { sink: ["k", "k"] } },
  {
    invariant: "I2",
    finding: "two effects of one key",
    sql: [
      "alter table public.effects drop constraint effects_idempotency_key_key",
      `insert into public.effects (status, task_id, step_id, kind, channel, idempotency_key, payload_json)
       select 'failed', task_id, step_id, kind, channel, idempotency_key, payload_json from public.effects where effect_id = ${effect}`,
    ],
  },
  {
    invariant: "I2",
    finding: "an effect left again though its outcome was open",
    sql: [audit(`'effect:' || ${effect}`, '{"status": "unknown"}', '{"status": "sent"}')],
  },
  {
    invariant: "I3",
    finding: "a step was completed that nobody held",
    sql: [audit(`'step:' || ${doneStep}`, '{"status": "running"}', '{"status": "done"}')],
  },
  {
    invariant: "I3",
    finding: "a step became done from a state that has no such edge",
    sql: [audit(`'step:' || ${doneStep}`, '{"status": "failed"}', '{"status": "done"}')],
  },
  {
    invariant: "I4",
    finding: "a step is tried a fourth time",
    sql: ["update public.task_steps set failures = 3 where status = 'running'"],
  },
  {
    invariant: "I4",
    finding: "a step failed more often than three times",
    sql: [
      `insert into public.audit_logs (actor, action, object, outcome, code)
       select 'planted', 'step.fail', 'step:' || ${doneStep}, 'refused', 'unavailable' from generate_series(1, 4)`,
    ],
  },
  {
    invariant: "I5",
    finding: "a lapsed lease is still held",
    sql: [
      "update public.task_steps set lease_expires_at = private.now() - interval '11 seconds' where status = 'running'",
    ],
  },
  {
    invariant: "I6",
    finding: "an effect that people must allow has no request",
    sql: [`update public.effects set request_id = null where effect_id = ${effect}`],
  },
  {
    invariant: "I6",
    finding: "an effect stands on a request of another task, or on one that it did not consume",
    sql: ["update public.approval_requests set status = 'approved' where status = 'consumed'"],
  },
  {
    invariant: "I6",
    finding: "an effect was reserved after its approval had expired",
    sql: [
      `update public.effects set reserved_at = reserved_at + interval '2 days' where effect_id = ${effect}`,
    ],
  },
  {
    invariant: "I6",
    finding: "an effect carries another digest than its request or its approvals",
    sql: [`update public.effects set digest = repeat('0', 64) where effect_id = ${effect}`],
  },
  {
    invariant: "I6",
    finding: "distinct people do not fill the slots of an effect's request",
    sql: ["update public.approvals set role = 'reviewer'"],
  },
  {
    invariant: "I6",
    finding: "whoever asked approved it",
    sql: [
      "update public.tasks t set requester_person_id = a.person_id from public.approvals a where a.task_id = t.task_id",
    ],
  },
  {
    invariant: "I6",
    finding: "an effect has no passing evaluation before it",
    sql: ["delete from public.evaluations"],
  },
  {
    invariant: "I6",
    finding: "what left is not the post that was approved",
    sql: [
      `update public.effects set payload_json = '{"text": "all in"}' where effect_id = ${effect}`,
    ],
  },
  {
    invariant: "I7",
    finding: "a transition has no audit row before it",
    sql: [
      audit(`'task:' || ${atGate}`, '{"status": "publishing"}', '{"status": "awaiting_approval"}'),
    ],
  },
  {
    invariant: "I7",
    finding: "a row is not where its trail ends",
    sql: [
      `update public.tasks set status = 'rejected', ended_at = now() where task_id = ${atGate}`,
    ],
  },
  {
    invariant: "I7",
    finding: "a decision has not exactly one audit row",
    sql: ["delete from public.audit_logs where object like 'approval:%'"],
  },
  {
    invariant: "I9",
    finding: "a step started before what it waits for was done",
    sql: [
      "update public.task_steps set started_at = created_at - interval '1 hour' where node_id = 'act'",
    ],
  },
  {
    invariant: "I9",
    finding: "a join counts other parents than it has",
    sql: [
      "update public.task_steps set pending_parents = pending_parents + 1 where status = 'pending'",
    ],
  },
  {
    invariant: "I10",
    finding: "tasks and their beginnings differ in number",
    sql: [
      `insert into public.tasks (task_id, actor, goal, risk_tier, action, source) values ('T-2020-01-01-0002', 'x', 'x', 'T0', 'READ', 'x')`,
    ],
  },
  {
    invariant: "I10",
    finding: "deliveries and tasks differ in number",
    sql: [
      "update public.event_receipts set task_id = (select min(task_id) from public.tasks) where outcome = 'accepted'",
    ],
  },
  {
    invariant: "I10",
    finding: "a task is in a state that nobody knows",
    sql: [
      "alter table public.tasks drop constraint task_status_is_known",
      `update public.tasks set status = 'lost' where task_id = ${atGate}`,
    ],
  },
  {
    invariant: "I10",
    finding: "an ended task has open steps",
    sql: [`update public.tasks set status = 'failed', ended_at = now() where task_id = ${atGate}`],
  },
  {
    invariant: "I10",
    finding: "an archived task has an open effect",
    sql: [
      "update public.effects set status = 'unknown', confirmed_at = null where status = 'confirmed'",
    ],
  },
  {
    invariant: "I11",
    finding: "an effect began after a stop",
    sql: [
      `insert into public.audit_logs (ts, actor, action, object, after_json)
       select e.ts - interval '2 seconds', 'planted', 'stop.set', 'stop:all', '{"state": "stopped"}' from public.events e where e.type = 'EFFECT_SENT' limit 1`,
    ],
  },
  {
    invariant: "I12",
    finding: "a canary was found",
    sql: [`update public.tasks set goal = 'canary-in-a-table' where task_id = ${atGate}`],
    outside: { canaries: ["canary-in-a-table"] },
  },
  {
    invariant: "I12",
    finding: "a canary was found",
    sql: [],
    outside: {
      canaries: ["canary-in-a-log"],
      said: [{ place: "log", text: "a canary-in-a-log line" }],
    },
  },
  {
    invariant: "I13",
    finding: "a breaker took an edge that it does not have",
    sql: [audit("'breaker:embed'", '{"state": "closed"}', '{"state": "half_open"}')],
  },
  {
    invariant: "I13",
    finding: "a breaker has no audit row for a change",
    sql: [audit("'breaker:embed'", '{"state": "half_open"}', '{"state": "closed"}')],
  },
  {
    invariant: "I13",
    finding: "a breaker asked before it had rested",
    sql: [
      audit("'breaker:embed'", '{"state": "closed"}', '{"state": "open"}'),
      `insert into public.audit_logs (actor, action, object, before_json, after_json)
       values ('breaker', 'breaker.probe', 'breaker:embed', '{"state": "open"}', '{"state": "half_open"}')`,
    ],
  },
  {
    invariant: "I13",
    finding: "a breaker is not where its trail ends",
    sql: [
      "update public.circuit_breakers set state = 'open', opened_at = now(), first_opened_at = now() where tool = 'embed'",
    ],
  },
  { invariant: "I14", finding: "anon may select", sql: ["grant select on public.tasks to anon"] },
  {
    invariant: "I14",
    finding: "service_role may insert",
    sql: ["grant insert on public.approvals to service_role"],
  },
  {
    invariant: "I14",
    finding: "auditor may select",
    sql: ["grant select on private.second_factors to auditor"],
  },
  {
    invariant: "I14",
    finding: "row-level security is off",
    sql: ["alter table public.effects disable row level security"],
  },
  {
    invariant: "I14",
    finding: "a policy lets in more than it should",
    sql: ["create policy planted on public.tasks for select to authenticated using (true)"],
  },
];
