import { createHash, randomUUID } from "node:crypto";
import type { StepWork } from "../../functions/_domain/task.ts";
import { loadBundledPolicy } from "../../functions/_policy/bundled-policy.ts";
import { planTask } from "../../functions/_agents/planner.ts";
import { decide } from "./deciding.ts";
import type { TestDatabase } from "./database.ts";

export * from "./deciding.ts";

/** A decision, a plan, a result: the calls of the main line made by hand, so that a test can stop between any two. */
export interface Answer {
  refused?: string;
  [key: string]: unknown;
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const bundled = await loadBundledPolicy();
if (!bundled.ok) throw new Error(bundled.reason);
export const policy = bundled.policy;
export const policySha256 = bundled.sha256;
export const policyText = bundled.text;

export async function activate(
  db: TestDatabase,
  text = policyText,
  body: unknown = policy,
): Promise<Answer> {
  const [row] = await db.owner<{ answer: Answer }>(
    "select private.install_policy($1, $2, 'test') as answer",
    [text, JSON.stringify(body)],
  );
  return row.answer;
}

export async function addMember(
  db: TestDatabase,
  role: string,
  name: string,
  telegram: string,
  person?: string,
): Promise<Answer> {
  const [row] = await db.as<{ answer: Answer }>(
    "administrator",
    "select api.add_member($1, 'test') as answer",
    [JSON.stringify({ role, name, telegram_user_id: telegram, person })],
  );
  return row.answer;
}

export const alertEvent = (body: string, more: Record<string, unknown> = {}) => ({
  source: "tradingview",
  source_name: "desk",
  source_event_id: null,
  body_sha256: sha256(body),
  body,
  content_type: "text/plain",
  actor: "tradingview:desk",
  goal: "Publish a signal",
  action: "PUBLISH",
  payload: { alert: { symbol: "BTCUSDT", price: "67000" }, body },
  ...more,
});

export const accept = (db: TestDatabase, event: Record<string, unknown>): Promise<Answer> =>
  db.database.call<Answer>("accept_event", { p_event: event });

export const claim = (db: TestDatabase, agents: string[] | null = null): Promise<StepWork[]> =>
  db.database.call<StepWork[]>("claim_steps", { p_worker: "test", p_limit: 50, p_agents: agents });

export const lease = (work: StepWork) => ({
  p_step_id: work.step_id,
  p_attempt: work.attempt,
  p_lease_token: work.lease_token,
});

export const plan = (db: TestDatabase, work: StepWork, nodes?: unknown[]): Promise<Answer> =>
  db.database.call<Answer>("record_plan", {
    ...lease(work),
    p_plan: nodes ? { flow: "signal", nodes } : planTask(policy, work.task),
    p_policy_sha256: policySha256,
  });

export const complete = (db: TestDatabase, work: StepWork, result: unknown): Promise<Answer[]> =>
  db.database.call<Answer[]>("complete_steps", {
    p_results: [{
      ...lease(work),
      step_id: work.step_id,
      attempt: work.attempt,
      lease_token: work.lease_token,
      result,
    }],
    p_policy_sha256: policySha256,
  });

export const marks = { policy: 1, evidence: 2, factuality: 3, clarity: 2, risk: 1 };
export const post = "BTCUSDT long, entry 67000";

/** What an agent of this class would hand back, as small as the database accepts it. */
export function resultOf(work: StepWork, rubric: Record<string, number> = marks): unknown {
  if (work.agent_class === "critic") {
    const act = work.inputs.findLast(({ node_id, type }) => node_id === "act" && type !== "post");
    return {
      artifact: { type: "evaluation", media_type: "application/json", content: "{}" },
      evaluation: {
        artifact_id: act?.artifact_id,
        rubric,
        red_flags: [],
        checks: [],
        verdict: "pass",
      },
    };
  }
  if (work.node_id === "dry_run") {
    const proposal = work.inputs.findLast(({ type }) => type === "proposal");
    return {
      artifact: {
        type: "dry_run",
        media_type: "application/json",
        content: JSON.stringify({ subject_sha256: proposal?.checksum, lines: [] }),
      },
    };
  }
  const isT3 = work.tier === "T3" || work.task.risk_tier === "T3";
  const type = isT3 && work.node_id === "act"
    ? "proposal"
    : { researcher: "research", retriever: "retrieval", trader: "idea" }[work.agent_class] ??
      (isT3 ? "proposal" : "result");
  return {
    artifact: {
      type,
      media_type: "application/json",
      content: JSON.stringify({ node: work.node_id }),
    },
    ...(work.node_id === "act" && work.task.risk_tier === "T2" ? { post } : {}),
  };
}

/** Claims and completes everything that is no effect, until nothing is ready; an executor's effect comes back leased. */
export async function runToGate(db: TestDatabase, rubric = marks): Promise<StepWork | null> {
  for (let round = 0; round < 20; round++) {
    const work = await claim(db, [
      "planner",
      "researcher",
      "retriever",
      "trader",
      "critic",
      "exec",
    ]);
    const effect = work.find(({ node_id }) => node_id === "publish" || node_id === "execute");
    if (effect || work.length === 0) return effect ?? null;
    for (const step of work) {
      if (step.agent_class === "planner") await plan(db, step);
      else await complete(db, step, resultOf(step, rubric));
    }
  }
  return null;
}

export async function openCode(db: TestDatabase, taskId: string): Promise<string> {
  const [row] = await db.owner<{ code: string }>(
    "select code from public.approval_requests where task_id = $1 order by requested_at desc, code desc limit 1",
    [taskId],
  );
  return row?.code;
}

export async function statusOf(db: TestDatabase, taskId: string): Promise<string> {
  const [row] = await db.owner<{ status: string }>(
    "select status from public.tasks where task_id = $1",
    [taskId],
  );
  return row.status;
}

export const reserve = (
  db: TestDatabase,
  work: StepWork,
  more: Record<string, unknown> = {},
): Promise<Answer> =>
  db.database.call<Answer>("reserve_effect", {
    ...lease(work),
    p_kind: "publish",
    p_channel: "telegram",
    p_destination: "-100123",
    p_payload: { text: post },
    p_policy_sha256: policySha256,
    ...more,
  });

/** A fresh signal at its gate. Every call is another alert. */
export async function signalAtGate(
  db: TestDatabase,
  more: Record<string, unknown> = {},
): Promise<string> {
  const accepted = await accept(db, alertEvent(`BUY BTCUSDT ${randomUUID()}`, more));
  await runToGate(db);
  return accepted.task_id as string;
}

/** The one step of this task that a communicator may take, leased; null while there is none. */
export async function claimPublish(db: TestDatabase, taskId: string): Promise<StepWork | null> {
  return (await claim(db, ["communicator"])).find(({ task_id }) => task_id === taskId) ?? null;
}

/** A signal that one operator has approved, its publish step leased. */
export async function approvedSignal(
  db: TestDatabase,
  operator = "1001",
  more: Record<string, unknown> = {},
): Promise<{ taskId: string; code: string; work: StepWork }> {
  const taskId = await signalAtGate(db);
  const code = await openCode(db, taskId);
  await decide(db, operator, code, "approve", more);
  const work = await claimPublish(db, taskId);
  if (work === null) throw new Error("nothing became ready to publish");
  return { taskId, code, work };
}

export const fence = (effectId: unknown, work: StepWork) => ({
  p_effect_id: effectId,
  p_attempt: work.attempt,
  p_lease_token: work.lease_token,
});

export const start = (db: TestDatabase, effectId: unknown, work: StepWork): Promise<Answer> =>
  db.database.call<Answer>("start_effect", fence(effectId, work));

export const confirm = (
  db: TestDatabase,
  effectId: unknown,
  work: StepWork,
  outcome = "confirmed",
  receipt: Record<string, unknown> = { message_id: "7" },
): Promise<Answer> =>
  db.database.call<Answer>("confirm_effect", {
    ...fence(effectId, work),
    p_outcome: outcome,
    p_receipt: receipt,
  });

export const archive = (
  db: TestDatabase,
  work: StepWork,
  chunks: unknown[] = [],
): Promise<Answer> =>
  db.database.call<Answer>("archive_task", { ...lease(work), p_chunks: chunks });

/** A signal all the way to the archive. */
export async function archivedSignal(db: TestDatabase): Promise<string> {
  const { taskId, work } = await approvedSignal(db);
  const { effect_id } = await reserve(db, work);
  await start(db, effect_id, work);
  await confirm(db, effect_id, work);
  const step = (await claim(db, ["orchestrator"])).find(({ task_id }) => task_id === taskId);
  if (!step) throw new Error("nothing became ready to archive");
  await archive(db, step);
  return taskId;
}

export const fail = (
  db: TestDatabase,
  work: StepWork,
  code = "internal",
  more: Record<string, unknown> = {},
): Promise<Answer> =>
  db.database.call<Answer>("fail_step", {
    ...lease(work),
    p_code: code,
    p_error: "broken",
    ...more,
  });

/** The codes of the refusals on record for one task or object, oldest first. */
export async function refusalsOf(db: TestDatabase, where: string): Promise<string[]> {
  const rows = await db.owner<{ code: string }>(
    "select code from public.audit_logs where outcome = 'refused' and (task_id = $1 or object = $1) order by id",
    [where],
  );
  return rows.map(({ code }) => code);
}
