import { ancestors, checkPlan, isPseudoAgent } from "../_domain/plan.ts";
import { agentVersion, type Flow, type Policy, tierOf } from "../_domain/policy.ts";
import { parseRule } from "../_domain/rule.ts";
import { tiers } from "../_domain/task.ts";

/** What no single field can say: the sections must agree. Returns a sentence for each contradiction. */
export function contradictions(policy: Policy): string[] {
  return [
    ...actionTroubles(policy),
    ...approvalTroubles(policy),
    ...agentTroubles(policy),
    ...Object.entries(policy.flows).flatMap(([name, flow]) => flowTroubles(policy, name, flow)),
  ];
}

function actionTroubles(policy: Policy): string[] {
  const troubles: string[] = [];
  const tiered = tiers.flatMap((tier) => policy.risk_tiers[tier]);
  const platform = Object.keys(policy.platform_actions);
  for (const action of new Set([...tiered, ...platform])) {
    const times = [...tiered, ...platform].filter((other) => other === action).length;
    if (times > 1) troubles.push(`${action} has more than one tier`);
  }
  for (const action of tiered) {
    if (!Object.hasOwn(policy.actions, action)) troubles.push(`${action} has no flow`);
  }
  for (const action of Object.keys(policy.actions)) {
    if (!tiered.includes(action)) troubles.push(`actions.${action} has no tier`);
  }
  for (const [source, { action }] of Object.entries(policy.sources)) {
    if (!tiered.includes(action)) troubles.push(`sources.${source}: ${action} has no tier`);
  }
  const used = [
    ...Object.entries(policy.actions),
    ...[...Object.entries(policy.platform_actions), ...Object.entries(policy.sources)]
      .map(([user, { flow }]) => [user, flow]),
  ];
  for (const [user, flow] of used) {
    if (!Object.hasOwn(policy.flows, flow)) troubles.push(`${user}: there is no flow "${flow}"`);
  }
  return troubles;
}

// The database reads T2 and T3 without an approval as "no rule" and refuses; better said before it is active.
function approvalTroubles(policy: Policy): string[] {
  return (["T2", "T3"] as const).flatMap((tier) => {
    const parsed = parseRule(policy.approvals[tier]);
    if (!parsed.ok) return [`approvals.${tier}: ${parsed.reason}`];
    const asks = parsed.rule.flags.some((flag) => flag !== "dry_run_required");
    return [
      ...(asks ? [] : [`approvals.${tier} asks nobody`]),
      ...(parsed.rule.min_score === null ? [`approvals.${tier} has no critic>= threshold`] : []),
    ];
  });
}

function agentTroubles(policy: Policy): string[] {
  const troubles: string[] = [];
  const required = Object.keys(policy.agents);
  for (const agentClass of Object.keys(policy.optional_agents)) {
    if (required.includes(agentClass) || isPseudoAgent(agentClass)) {
      troubles.push(`optional_agents.${agentClass} is not optional`);
    }
  }
  const versions = versionsOf(policy);
  if (new Set(versions).size < versions.length) troubles.push("two agents share a version");
  for (const agentClass of Object.keys(policy.tools)) {
    if (!required.includes(agentClass) && !Object.hasOwn(policy.optional_agents, agentClass)) {
      troubles.push(`tools.${agentClass}: there is no such agent`);
    }
  }
  for (const agentClass of required) {
    if (!Object.hasOwn(policy.tools, agentClass)) troubles.push(`tools.${agentClass} is missing`);
  }
  return troubles;
}

const versionsOf = (policy: Policy): string[] =>
  [...Object.values(policy.agents), ...Object.values(policy.optional_agents)]
    .filter((version) => version !== null);

// A flow is where a gate could be forgotten, so the gates are part of its grammar.
function flowTroubles(policy: Policy, name: string, flow: Flow): string[] {
  const classes = [...Object.keys(policy.agents), ...Object.keys(policy.optional_agents)]
    .filter((agentClass) => agentVersion(policy, agentClass) !== null);
  const checked = checkPlan(flow, classes);
  if (!checked.ok) return [`flows.${name}: ${checked.code}: ${checked.reason}`];
  const troubles: string[] = [];
  const effects = flow.nodes.filter((node) => node.action === undefined);
  if (effects.length !== 1) troubles.push("exactly one node has no action of its own, the effect");
  for (const node of flow.nodes) {
    if (node.action === undefined) continue;
    const tier = tierOf(policy, node.action);
    if (tier === null) troubles.push(`"${node.id}": ${node.action} has no tier`);
    else if (tier > "T1") troubles.push(`"${node.id}": ${node.action} belongs to the effect alone`);
  }
  const [first, last] = [flow.nodes[0], flow.nodes[flow.nodes.length - 1]];
  if (first.id !== "plan" || first.agent !== "planner") troubles.push("the first node is not plan");
  if (last.id !== "archive" || last.agent !== "orchestrator") {
    troubles.push("the last node is not archive");
  }
  if (flow.nodes.filter((node) => node.agent === "human").length !== 1) {
    troubles.push("exactly one node asks a person");
  }
  for (const node of flow.nodes) {
    if (node !== last && node.agent === "orchestrator") troubles.push(`"${node.id}" is no archive`);
    if (node !== first && !ancestors(flow.nodes, node.id).has("plan")) {
      troubles.push(`"${node.id}" does not wait for the plan`);
    }
    if (node !== last && !ancestors(flow.nodes, "archive").has(node.id)) {
      troubles.push(`archive does not wait for "${node.id}"`);
    }
  }
  for (const effect of effects) troubles.push(...gateTroubles(flow, effect));
  return troubles.map((trouble) => `flows.${name}: ${trouble}`);
}

function gateTroubles(flow: Flow, effect: Flow["nodes"][number]): string[] {
  const by = (agent: string, ids: Set<string>) =>
    flow.nodes.some((node) => node.agent === agent && ids.has(node.id));
  const before = ancestors(flow.nodes, effect.id);
  const gated = flow.nodes.some((node) =>
    node.agent === "human" && before.has(node.id) && by("critic", ancestors(flow.nodes, node.id))
  );
  const effector = !["publish", "execute"].includes(effect.id)
    ? [`the effect is called publish or execute, not "${effect.id}"`]
    : effect.agent === "critic" || isPseudoAgent(effect.agent)
    ? [`"${effect.agent}" performs no effect`]
    : [];
  return [...effector, ...(gated ? [] : ["the effect does not wait for the critic and a person"])];
}
