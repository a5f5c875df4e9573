import type { PGlite } from "@electric-sql/pglite";

/** What the demo claims, read back by SQL as the auditor from a copy of the database. */
export interface Evidence {
  task_id: string;
  tier: string;
  status: string;
  hops: { name: string; ms: number | null }[];
  events: string[];
  approvals: { approver: string; role: string; decision: string; digest: string }[];
  effects: { kind: string; status: string; idempotency_key: string }[];
  audit_rows: number;
}

export interface Sent {
  chat_id: string;
  message_id: string;
  /** Known for what was published; a notification is rendered when it is sent. */
  text: string | null;
}

const hopNodes: [name: string, node: string][] = [
  ["plan", "plan"],
  ["retrieve", "retrieve"],
  ["act", "act"],
  ["critic", "critic"],
  ["approval", "approve"],
  ["publish", "publish"],
  ["archive", "archive"],
];

export async function asAuditor<T>(pg: PGlite, text: string, params: unknown[] = []): Promise<T[]> {
  return await pg.transaction(async (tx) => {
    await tx.exec("set transaction read only; set local role auditor");
    return (await tx.query<T>(text, params)).rows;
  });
}

export async function gather(pg: PGlite, taskId: string, intakeMs: number): Promise<Evidence> {
  const ask = <T>(text: string) => asAuditor<T>(pg, text, [taskId]);
  const [task] = await ask<{ risk_tier: string; status: string }>(
    "select risk_tier, status from public.tasks where task_id = $1",
  );
  const steps = await ask<{ node_id: string; ms: number | null }>(
    `select node_id, round(extract(epoch from ended_at - started_at) * 1000)::int as ms
     from public.task_steps where task_id = $1`,
  );
  const hop = (node: string) => steps.find((step) => step.node_id === node)?.ms ?? null;
  return {
    task_id: taskId,
    tier: task.risk_tier,
    status: task.status,
    hops: [
      { name: "intake", ms: Math.round(intakeMs) },
      ...hopNodes.map(([name, node]) => ({ name, ms: hop(node) })),
    ],
    events: (await ask<{ type: string }>("select type from public.events where task_id = $1 order by seq"))
      .map(({ type }) => type),
    approvals: await ask("select approver, role, decision, digest from public.approvals where task_id = $1 order by ts"),
    effects: await ask("select kind, status, idempotency_key from public.effects where task_id = $1 order by seq"),
    audit_rows: (await ask<{ n: number }>("select count(*)::int as n from public.audit_logs where task_id = $1"))[0].n,
  };
}

/** Everything that the outbox says left for Telegram, messages and posts. */
export function sentByOutbox(pg: PGlite): Promise<Sent[]> {
  return asAuditor<Sent>(
    pg,
    `select destination as chat_id, receipt_json ->> 'message_id' as message_id, payload_json ->> 'text' as text
     from public.effects where status = 'confirmed' and channel = 'telegram'
     union all
     select recipient, message_id, null from public.notifications
     where status = 'sent' and channel = 'telegram' and edit_message_id is null`,
  );
}

export function auditTrail(pg: PGlite, taskId: string): Promise<{ at: string; actor: string; action: string; object: string; code: string | null }[]> {
  return asAuditor(
    pg,
    `select to_char(ts at time zone 'UTC', 'HH24:MI:SS.MS') as at, actor, action, split_part(object, ':', 1) as object, code
     from public.audit_logs
     where task_id = $1 and (object not like 'step:%' or code is not null) order by id`,
    [taskId],
  );
}
