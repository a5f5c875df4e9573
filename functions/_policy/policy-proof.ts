import { ancestors, highestTier } from "../_domain/plan.ts";
import { type Tier, tiers } from "../_domain/task.ts";
import {
  actionsOf,
  type Answer,
  answerAt,
  type ApprovalRule,
  type DecidingPolicy,
  filled,
  flowIn,
  groups,
  limitBands,
  limited,
  type Point,
  ruleIn,
  scoreBands,
  strangers,
  tierIn,
  type Yes,
} from "./policy-domain.ts";

export interface Breach {
  /** Which promise does not hold. */
  proof: "unknown fails closed" | "more risk, not less approval" | "can be met";
  /** The line of the policy: `approvals.T3`. */
  rule: string;
  sentence: string;
}

export interface RuleRow {
  rule: string;
  actions: number;
  critic: string;
  asks: string;
  met_by: string;
}

export interface Proof {
  actions: number;
  points: number;
  allowed: number;
  refused: number;
  breaches: Breach[];
  rules: RuleRow[];
}

interface Named {
  name: string;
  tier: Tier;
  reduction: boolean;
}

const namesOf = (policy: DecidingPolicy): Named[] => [
  ...tiers.map((tier) => ({ name: `approvals.${tier}`, tier, reduction: false })),
  ...(policy.trading.reduce_only_approvals === undefined
    ? []
    : [{ name: "trading.reduce_only_approvals", tier: "T3" as const, reduction: true }]),
];

/**
 * Looks at every point of the finite domain (action, tier, who says yes, score, dry run, limit) and at every rule. What
 * it cannot see is whether the numbers are wise.
 */
export function prove(policy: DecidingPolicy, people: Yes[]): Proof {
  const walked = walk(policy);
  return {
    actions: actionsOf(policy).length,
    ...walked,
    breaches: [...walked.breaches, ...ruleBreaches(policy, people)],
    rules: namesOf(policy).map((named) => rowOf(policy, named, people)),
  };
}

type Situation = Omit<Point, "raised">;

function* situations(policy: DecidingPolicy): Generator<Situation & { who: string }> {
  for (const action of [...actionsOf(policy), ...strangers]) {
    for (const [who, yes] of Object.entries(groups)) {
      for (const score of scoreBands(policy)) {
        for (const limit of limited.has(action) ? limitBands : ["below"] as const) {
          for (const [flagged, dry_run] of [[false, false], [false, true], [true, true]]) {
            yield { action, who, yes, score, limit, flagged, dry_run };
          }
        }
      }
    }
  }
}

function walk(policy: DecidingPolicy) {
  const counts = { points: 0, allowed: 0, refused: 0 };
  const breaches = new Map<string, Breach>();
  for (const situation of situations(policy)) {
    // From the highest tier down: what a riskier tier lets pass, a safer one lets pass too.
    let riskier: Answer | null = null;
    for (const raised of tiers.toReversed()) {
      const answer = answerAt(policy, { ...situation, raised });
      counts.points++;
      counts[answer === "allowed" ? "allowed" : "refused"]++;
      for (const breach of breachesAt(policy, { ...situation, raised }, answer, riskier)) {
        const key = `${breach.proof} ${breach.rule}`;
        if (!breaches.has(key)) {
          const { action, who, score, limit } = situation;
          const where = `${JSON.stringify(action)}, ${who}, score ${score}, limit ${limit}`;
          breaches.set(key, { ...breach, sentence: `${breach.sentence} (${where})` });
        }
      }
      riskier = answer;
    }
  }
  return { ...counts, breaches: [...breaches.values()] };
}

function breachesAt(
  policy: DecidingPolicy,
  point: Point,
  answer: Answer,
  riskier: Answer | null,
): Breach[] {
  const own = tierIn(policy, point.action);
  if (own === null) {
    return answer === "unclassified_action" ? [] : [{
      proof: "unknown fails closed",
      rule: "risk_tiers",
      sentence: `an action without a tier is answered with ${answer}`,
    }];
  }
  const rule = `approvals.${highestTier([own, point.raised])}`;
  const found: Breach[] = [];
  // A rule that cannot be read is named once, by its line.
  if (riskier === "allowed" && answer !== "allowed" && answer !== "policy_invalid") {
    found.push({
      proof: "more risk, not less approval",
      rule,
      sentence: `refused with ${answer}, and allowed one tier higher`,
    });
  }
  const unknown = point.score === null || point.flagged || point.limit === "unknown";
  if (answer === "allowed" && unknown) {
    found.push({ proof: "unknown fails closed", rule, sentence: "allowed without what it needs" });
  }
  return found;
}

function ruleBreaches(policy: DecidingPolicy, people: Yes[]): Breach[] {
  const found: Breach[] = [];
  let below: { name: string; rule: ApprovalRule } | null = null;
  for (const { name, tier, reduction } of namesOf(policy)) {
    const rule = ruleIn(policy, tier, reduction);
    const breach = (proof: Breach["proof"], sentence: string) =>
      found.push({ proof, rule: name, sentence });
    if (rule === null) {
      breach("can be met", `${name} cannot be read, or asks nobody: nothing passes it`);
      continue;
    }
    if (reduction) {
      const whole = ruleIn(policy, tier);
      if (whole !== null) {
        for (const less of asksLess(whole, rule)) {
          breach(
            "more risk, not less approval",
            `${name} asks more than approvals.${tier}: ${less}`,
          );
        }
      }
    } else {
      if (below !== null) {
        for (const less of asksLess(rule, below.rule)) {
          breach("more risk, not less approval", `${name} asks less than ${below.name}: ${less}`);
        }
      }
      below = { name, rule };
    }
    if (!filled(policy, rule.slots, people)) {
      breach(
        "can be met",
        `${name} asks ${rule.slots.join(" and ")}, and ${crew(people)} cannot give that`,
      );
    }
    if (rule.dry_run) {
      for (const action of rehearsedNowhere(policy, tier, reduction)) {
        breach("can be met", `${name} asks for a dry run, and the flow of ${action} makes none`);
      }
    }
  }
  return found;
}

/** What the one rule does not ask for although the other does. */
function asksLess(one: ApprovalRule, other: ApprovalRule): string[] {
  return [
    ...other.slots.filter((slot) => !one.slots.includes(slot)).map((slot) => `no ${slot}`),
    ...(one.min_score < other.min_score ? [`critic>=${one.min_score}`] : []),
    ...(other.dry_run && !one.dry_run ? ["no dry run"] : []),
  ];
}

/** Actions of the tier whose flow has no `dry_run` before its critic. */
function rehearsedNowhere(policy: DecidingPolicy, tier: Tier, reduction: boolean): string[] {
  const actions = reduction ? ["TRADE"] : actionsOf(policy);
  return actions.filter((action) => tierIn(policy, action) === tier).filter((action) => {
    const flow = flowIn(policy, "", action);
    const nodes = flow !== null && Object.hasOwn(policy.flows, flow)
      ? policy.flows[flow].nodes
      : [];
    return !nodes.some(({ id, agent }) =>
      agent === "critic" && ancestors(nodes, id).has("dry_run")
    );
  });
}

/** "2 operator, 1 owner": persons by role; one with two roles is named with both. */
export function crew(people: Yes[]): string {
  const roles = new Map<string, Set<string>>();
  for (const { person, role } of people) {
    roles.set(person, (roles.get(person) ?? new Set()).add(role));
  }
  const counts = new Map<string, number>();
  for (const held of roles.values()) {
    const name = [...held].sort().join("+");
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].sort().map(([role, count]) => `${count} ${role}`).join(", ") || "nobody";
}

function rowOf(policy: DecidingPolicy, { name, tier, reduction }: Named, people: Yes[]): RuleRow {
  const rule = ruleIn(policy, tier, reduction);
  const actions = reduction
    ? 1
    : actionsOf(policy).filter((one) => tierIn(policy, one) === tier).length;
  if (rule === null) return { rule: name, actions, critic: "?", asks: "?", met_by: "nobody" };
  const persons = [...new Set(people.map(({ person }) => person))];
  // Nobody approves what they asked for, so a rule that needs everybody is met until one of them asks.
  const spare = persons.every((one) =>
    filled(policy, rule.slots, people.filter(({ person }) => person !== one))
  );
  const met = filled(policy, rule.slots, people);
  return {
    rule: name,
    actions,
    critic: `>=${rule.min_score}`,
    asks: [...rule.slots, ...(rule.dry_run ? ["dry run"] : [])].join(", ") || "nobody",
    met_by: rule.slots.length === 0
      ? "not asked"
      : !met
      ? "nobody"
      : spare
      ? "yes, whoever asks"
      : "yes, not when one of them asks",
  };
}
