import type { Agent, Judge, StepResult } from "../_agents/agent.ts";
import { postOf } from "../_agents/communicator.ts";
import type { Database } from "../_database/database.ts";
import type { Heartbeat } from "../_database/heartbeat.ts";
import { returnSteps } from "../_database/leases.ts";
import { isTrouble } from "../_database/trouble.ts";
import type { Limiter } from "../_domain/limiter.ts";
import { mask } from "../_domain/mask.ts";
import type { Policy } from "../_domain/policy.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";
import { contextFor } from "./context.ts";
import type { Outside } from "./outside.ts";
import { toolsFor } from "./tools.ts";
import { executeTrade } from "./trade-effect.ts";

export interface DispatchDeps
  extends Pick<Outside, "market" | "account" | "bridge" | "breakers" | "memory"> {
  database: Database;
  policy: Policy;
  policy_sha256: string;
  /** Agent class → agent. A class without one is refused as `unknown_agent`. */
  agents: Readonly<Record<string, Agent>>;
  embed: (text: string) => Promise<number[]>;
  judge: Judge | null;
  limiter?: Limiter | null;
  now: () => Date;
  heartbeat?: Heartbeat;
}

/** What a dispatched step hands back: a result to complete in the batch, or nothing because it ended itself. */
export type Dispatched = { work: StepWork; result: StepResult & { post?: string } } | null;

interface Answer {
  refused?: string;
  reason?: string;
}

const lease = (work: StepWork) => ({
  p_step_id: work.step_id,
  p_attempt: work.attempt,
  p_lease_token: work.lease_token,
});

/** The text of a task that later tasks can find: what was proposed, under its symbol. */
function memoryOf(work: StepWork): { symbol: string | null; content: string } | null {
  const artifact = work.inputs.findLast(({ type }) =>
    ["idea", "result", "proposal"].includes(type)
  );
  if (!artifact) return null;
  const read: unknown = JSON.parse(artifact.content);
  const fields = typeof read === "object" && read !== null ? read as Record<string, unknown> : {};
  return {
    symbol: typeof fields.symbol === "string" ? fields.symbol : null,
    content: (typeof fields.summary === "string" ? fields.summary : artifact.content).slice(
      0,
      4000,
    ),
  };
}

async function archive(deps: DispatchDeps, work: StepWork): Promise<Answer> {
  const memory = memoryOf(work);
  const chunks = memory === null
    ? []
    : [{ ...memory, embedding: await deps.embed(memory.content) }];
  return await deps.database.call<Answer>("archive_task", { ...lease(work), p_chunks: chunks });
}

/** T0 and T1: the result is the effect, a row of this database, confirmed as it is reserved. */
function record(deps: DispatchDeps, work: StepWork): Promise<Answer> {
  const artifact = work.inputs.findLast(({ type }) => type === "result" || type === "proposal");
  return deps.database.call<Answer>("reserve_effect", {
    ...lease(work),
    p_kind: "record",
    p_channel: "internal",
    p_destination: work.task_id,
    p_payload: { artifact_id: artifact?.artifact_id ?? null, checksum: artifact?.checksum ?? null },
    p_policy_sha256: deps.policy_sha256,
  });
}

/** A policy that was approved is put down for adoption: the payload is what the proposal says. */
function adopt(deps: DispatchDeps, work: StepWork): Promise<Answer> {
  const proposal = work.inputs.findLast(({ type }) => type === "proposal");
  const proposed: unknown = JSON.parse(proposal?.content ?? "null");
  return deps.database.call<Answer>("reserve_effect", {
    ...lease(work),
    p_kind: "policy_change",
    p_channel: "internal",
    p_destination: work.task_id,
    p_payload: Object(proposed).policy ?? null,
    p_policy_sha256: deps.policy_sha256,
  });
}

/** The executor's own effects, by what the task asks for; whatever is not named here is a row of this database. */
async function execute(deps: DispatchDeps, work: StepWork): Promise<void> {
  switch (work.task.action) {
    case "TRADE":
      return await executeTrade({ ...deps, tool: toolsFor(deps, work) }, work);
    case "POLICY_CHANGE":
      return refuseIf(await adopt(deps, work));
    default:
      return refuseIf(await record(deps, work));
  }
}

async function run(deps: DispatchDeps, work: StepWork): Promise<Dispatched> {
  if (work.agent_class === "orchestrator") {
    refuseIf(await archive(deps, work));
    return null;
  }
  if (work.agent_class === "exec" && work.is_effect) {
    await execute(deps, work);
    return null;
  }
  if (!Object.hasOwn(deps.agents, work.agent_class)) throw new Refusal("unknown_agent");
  const result = await deps.agents[work.agent_class](work, contextFor(deps, work));
  if (work.agent_class === "planner") {
    refuseIf(
      await deps.database.call<Answer>("record_plan", {
        ...lease(work),
        p_plan: result.output,
        p_policy_sha256: deps.policy_sha256,
      }),
    );
    return null;
  }
  const published = work.task.risk_tier === "T2" &&
    ["idea", "result"].includes(result.artifact?.type ?? "");
  const post = published && result.artifact
    ? postOf(result.artifact, work.task_id).text
    : undefined;
  return { work, result: post === undefined ? result : { ...result, post } };
}

function refuseIf(answer: Answer): void {
  if (answer.refused) throw new Refusal(answer.refused as Refusal["code"], answer.reason);
}

/**
 * Runs one leased step. What its agent or the database refuses is recorded with the step: some codes end the task,
 * the rest is tried again (api.fail_step decides). A lost lease is nobody's failure: another worker has the step; nor
 * is a database that was away: the step goes back as it came.
 */
export async function dispatch(deps: DispatchDeps, work: StepWork): Promise<Dispatched> {
  deps.heartbeat?.began(work);
  try {
    const dispatched = await run(deps, work);
    deps.heartbeat?.ended(work, null);
    return dispatched;
  } catch (error) {
    const refusal = error instanceof Refusal ? error : null;
    const code = refusal?.code ?? "internal";
    deps.heartbeat?.ended(work, code);
    if (code === "stale_lease") return null;
    if (isTrouble(error)) {
      await returnSteps(deps.database, [work], "the database was away");
      return null;
    }
    const reason = error instanceof Error ? error.message : String(error);
    const { tool, retry_after } = refusal?.about ?? {};
    await deps.database.call("fail_step", {
      ...lease(work),
      p_code: code,
      p_error: mask(reason).slice(0, 500),
      p_retry_after: retry_after,
      p_tool: tool,
    });
    return null;
  }
}
