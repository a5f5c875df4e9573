import { type ToolRunner, toolRunner } from "../_agents/tool-runner.ts";
import type { StepWork } from "../_domain/task.ts";
import { type TokenDeps, tokensFor } from "./tool-tokens.ts";

/** The tools of a leased step: what the policy lists for its agent's class, counted where the policy counts. */
export const toolsFor = (
  deps: TokenDeps,
  { agent, agent_class }: Pick<StepWork, "agent" | "agent_class">,
): ToolRunner =>
  toolRunner({
    agent,
    allowed: Object.hasOwn(deps.policy.tools, agent_class) ? deps.policy.tools[agent_class] : [],
    metered: deps.policy.rate_limits.tools,
    take: tokensFor(deps),
  });
