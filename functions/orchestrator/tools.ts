import { type ToolRunner, toolRunner } from "../_agents/tool-runner.ts";
import type { Database } from "../_database/database.ts";
import type { Policy } from "../_domain/policy.ts";
import { isRefusalCode, Refusal } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";

export interface ToolDeps {
  database: Database;
  policy: Policy;
}

interface Token {
  granted?: boolean;
  refused?: string;
  reason?: string;
  retry_after?: number;
}

/** One token from the database, which every worker shares; anything but a clear yes is no token. */
const taker = (database: Database) => async (tool: string): Promise<number | null> => {
  const token = await database.call<Token>("take_tool_token", { p_tool: tool });
  if (token.granted === true) return null;
  if (token.refused === "rate_limited") return token.retry_after ?? 1;
  throw new Refusal(isRefusalCode(token.refused) ? token.refused : "unavailable", token.reason);
};

/** The tools of a leased step: what the policy lists for its agent's class, counted where the policy counts. */
export const toolsFor = (
  { database, policy }: ToolDeps,
  { agent, agent_class }: Pick<StepWork, "agent" | "agent_class">,
): ToolRunner =>
  toolRunner({
    agent,
    allowed: Object.hasOwn(policy.tools, agent_class) ? policy.tools[agent_class] : [],
    metered: policy.rate_limits.tools,
    take: taker(database),
  });
