import type { Judge } from "../_agents/agent.ts";
import { evaluate } from "../_agents/critic.ts";
import { judgedTypes } from "../_agents/critic-subject.ts";
import { type ToolRunner, toolRunner } from "../_agents/tool-runner.ts";
import type { Database } from "../_database/database.ts";
import { type CriticRequest, criticRequestSchema } from "../_domain/evaluation.ts";
import { agentVersion, type Policy } from "../_domain/policy.ts";
import type { RefusalCode } from "../_domain/refusal.ts";
import type { Input, StepWork } from "../_domain/task.ts";
import { admit, serviceCaller } from "../_edge/door.ts";
import { note } from "../_edge/log.ts";
import { pathBelow } from "../_edge/path.ts";
import { refuse, respond } from "../_edge/respond.ts";

export interface CriticDeps {
  database: Database;
  service_token: string;
  /** The bundled policy, or why it cannot be read: nothing is judged without one. */
  policy: { ok: true; policy: Policy } | { ok: false; reason: string };
  judge: Judge | null;
}

interface Refused {
  refused?: RefusalCode;
  reason?: string;
}
type StoredArtifact = Refused & Input & {
  task_id: string;
  task: StepWork["task"];
  inputs: Input[];
};

const largestRequest = 8 * 1024;

function readRequest(
  text: string,
): { ok: true; asked: CriticRequest } | { ok: false; reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, reason: "the body is not JSON" };
    throw error;
  }
  const read = criticRequestSchema.safeParse(value);
  if (read.success) return { ok: true, asked: read.data };
  const [issue] = read.error.issues;
  return { ok: false, reason: `${issue.path.join(".") || "the request"}: ${issue.message}` };
}

/** The critic's own allowlist holds here as it does on the line, and so do the limits that everybody shares. */
const toolsOf = (policy: Policy, agent: string, database: Database): ToolRunner =>
  toolRunner({
    agent,
    allowed: policy.tools.critic,
    metered: policy.rate_limits.tools,
    take: async (p_tool) => {
      const token = await database.call<{ granted?: boolean; retry_after?: number }>(
        "take_tool_token",
        { p_tool },
      );
      return token.granted === true ? null : token.retry_after ?? 1;
    },
  });

/**
 * `POST /critic`: marks a stored artifact and keeps the evaluation. It gates nothing: only the line's own critic step
 * does. All five criteria are always marked, since a score is out of 9; `checks` chooses what is reported. The
 * threshold can be raised above the tier's rule and never lowered below it; the one that held is in the answer.
 */
export async function handle(request: Request, deps: CriticDeps): Promise<Response> {
  if (pathBelow(request, "critic")?.length !== 0) return refuse("not_found");
  const visit = await admit(request, {
    method: "POST",
    caller: serviceCaller(deps.service_token),
    maxBytes: largestRequest,
  });
  if (visit instanceof Response) return visit;
  const read = readRequest(visit.text);
  if (!read.ok) return refuse("invalid_request", { reason: read.reason });
  if (!deps.policy.ok) return refuse("policy_invalid", { reason: deps.policy.reason });

  const { policy } = deps.policy;
  const { input_ref, checks, threshold = policy.rubric.default_threshold } = read.asked;
  const critic = agentVersion(policy, "critic");
  if (critic === null) return refuse("unknown_agent");
  const tool = toolsOf(policy, critic, deps.database);
  const stored = await tool(
    "artifacts.read",
    () => deps.database.call<StoredArtifact>("read_artifact", { p_ref: input_ref }),
  );
  if (stored.refused) return refuse(stored.refused, stored.reason ? { reason: stored.reason } : {});
  const { task, task_id, inputs, ...artifact } = stored;
  note(request, { task_id });
  if (artifact.agent !== critic && !(judgedTypes as readonly string[]).includes(artifact.type)) {
    return refuse("invalid_request", {
      reason: `an artifact of type ${artifact.type} is not judged`,
    });
  }
  const evaluation = await evaluate({ artifact, inputs, task, critic, policy }, {
    threshold,
    judge: deps.judge,
    tool,
  });
  const recorded = await deps.database.call<Refused>("record_evaluation", {
    p_evaluation: evaluation,
    p_task_id: task_id,
  });
  if (recorded.refused) {
    return refuse(recorded.refused, recorded.reason ? { reason: recorded.reason } : {});
  }
  note(request, { outcome: evaluation.verdict });
  return respond({
    score: evaluation.score,
    rubric: evaluation.rubric,
    checks: evaluation.checks.filter(({ name }) => checks.includes(name)),
    red_flags: evaluation.red_flags,
    verdict: evaluation.verdict,
    threshold: evaluation.threshold,
    critic: evaluation.critic,
  });
}
