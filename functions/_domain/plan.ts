import { z } from "zod";
import { type Tier, tiers } from "./task.ts";

const nodeId = z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/);

/** A node names an agent by class (`exec`) in a template, by `name:version` in a task's plan. */
export const planNode = z.strictObject({
  id: nodeId,
  agent: z.string().max(64).regex(/^[a-z][a-z0-9-]*(:[a-z0-9][a-z0-9.-]*)?$/),
  after: z.array(nodeId).max(64).optional(),
  tier: z.enum(["T0", "T1", "T2", "T3"]).optional(),
  action: z.string().regex(/^[A-Z][A-Z0-9_]{0,31}$/).optional(),
});

/** The compact DAG of a task. */
export const planSchema = z.strictObject({
  task_id: z.string().max(40).optional(),
  flow: nodeId.optional(),
  nodes: z.array(planNode).min(1).max(64),
});

export type PlanNode = z.infer<typeof planNode>;
export type Plan = z.infer<typeof planSchema>;

/** A node as the planner hands it on: nothing about its risk is left open. */
export type TaggedNode = PlanNode & { tier: Tier; action: string };

export type PlanCheck =
  | { ok: true; order: PlanNode[] }
  | { ok: false; code: "invalid_plan" | "unknown_agent" | "cyclic_plan"; reason: string };

/** People and the platform's own bookkeeping take part in a plan, but are no agents and have no version. */
export const pseudoAgents = ["human", "orchestrator"] as const;

export const isPseudoAgent = (agent: string): boolean =>
  (pseudoAgents as readonly string[]).includes(agent);

/** Every node after all it waits for; among those that could come next, the one listed first. Null for a circle. */
export function topologicalOrder<N extends { id: string; after?: string[] }>(
  nodes: readonly N[],
): N[] | null {
  const order: N[] = [];
  const placed = new Set<string>();
  const waiting = [...nodes];
  while (waiting.length > 0) {
    const next = waiting.findIndex((node) => (node.after ?? []).every((id) => placed.has(id)));
    if (next < 0) return null;
    const [node] = waiting.splice(next, 1);
    order.push(node);
    placed.add(node.id);
  }
  return order;
}

/** Whether the nodes form a graph that can be run by these agents; pseudo-agents are always known. */
export function checkPlan(plan: { nodes: PlanNode[] }, agents: Iterable<string>): PlanCheck {
  const known = new Set<string>([...agents, ...pseudoAgents]);
  const ids = new Set<string>();
  for (const { id } of plan.nodes) {
    if (ids.has(id)) return { ok: false, code: "invalid_plan", reason: `two nodes are "${id}"` };
    ids.add(id);
  }
  for (const { id, agent, after = [] } of plan.nodes) {
    if (!known.has(agent)) {
      return { ok: false, code: "unknown_agent", reason: `"${id}" names "${agent}"` };
    }
    const missing = after.find((parent) => !ids.has(parent));
    if (missing !== undefined) {
      return { ok: false, code: "invalid_plan", reason: `"${id}" waits for "${missing}"` };
    }
    if (new Set(after).size < after.length) {
      return { ok: false, code: "invalid_plan", reason: `"${id}" waits twice for one node` };
    }
  }
  const order = topologicalOrder(plan.nodes);
  return order === null
    ? { ok: false, code: "cyclic_plan", reason: "the nodes wait for one another in a circle" }
    : { ok: true, order };
}

export const highestTier = (some: Iterable<Tier>): Tier | null => {
  const found = new Set(some);
  return tiers.findLast((tier) => found.has(tier)) ?? null;
};

/** The risk of the whole is that of its riskiest node; null where no node says. */
export const planTier = (nodes: readonly { tier?: Tier }[]): Tier | null =>
  highestTier(nodes.flatMap((node) => node.tier ?? []));

/** Every node that must be done before this one, directly or not. The graph must be acyclic. */
export function ancestors(
  nodes: readonly { id: string; after?: string[] }[],
  id: string,
): Set<string> {
  const parents = new Map(nodes.map((node) => [node.id, node.after ?? []]));
  const found = new Set<string>();
  const open = [...(parents.get(id) ?? [])];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    if (found.has(parent)) continue;
    found.add(parent);
    open.push(...(parents.get(parent) ?? []));
  }
  return found;
}
