import { highestTier, isPseudoAgent, type TaggedNode } from "../_domain/plan.ts";
import { agentVersion, flowOf, type Policy, tierOf } from "../_domain/policy.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { Agent } from "./agent.ts";

export interface TaskPlan {
  flow: string;
  nodes: TaggedNode[];
}

/** The flow that the policy holds for this request, with every agent's version and every node's risk filled in. */
export function planTask(policy: Policy, request: { source: string; action: string }): TaskPlan {
  const tier = tierOf(policy, request.action);
  const flow = flowOf(policy, request);
  if (tier === null || flow === null) {
    throw new Refusal("unclassified_action", "The policy has no tier or no flow for this action.");
  }
  const nodes = policy.flows[flow].nodes.map((node): TaggedNode => {
    const agent = isPseudoAgent(node.agent) ? node.agent : agentVersion(policy, node.agent);
    if (agent === null) {
      throw new Refusal("unknown_agent", `The agent "${node.agent}" has no version.`);
    }
    const action = node.action ?? request.action;
    const own = node.action === undefined ? tier : tierOf(policy, node.action);
    if (own === null) throw new Refusal("unclassified_action", `${action} has no tier.`);
    // A person decides on the effect, so that node carries the effect's risk, whatever it does itself.
    const gate = node.agent === "human" ? [tier] : [];
    const risk = highestTier([own, ...gate, ...(node.tier ? [node.tier] : [])]) ?? own;
    return { ...node, agent, tier: risk, action };
  });
  return { flow, nodes };
}

/** Copies a template; nothing in a task's payload can add a node, drop a gate or lower a tier. */
export const planner: Agent = (work, { policy }) =>
  Promise.resolve().then(() => {
    const plan = planTask(policy, work.task);
    const content = JSON.stringify({ task_id: work.task.task_id, ...plan });
    return {
      artifact: { type: "plan", media_type: "application/json", content },
      output: { flow: plan.flow, nodes: plan.nodes.map((node) => ({ ...node })) },
    };
  });
