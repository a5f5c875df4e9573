import { z } from "zod";
import { floorScore, round4, totalMax } from "../_domain/evaluation.ts";
import { highestTier } from "../_domain/plan.ts";
import { parseRule } from "../_domain/rule.ts";
import { type Tier, tiers } from "../_domain/task.ts";

const tier = z.enum(["T0", "T1", "T2", "T3"]);
const texts = z.array(z.string());
const figures = z.record(z.string(), z.unknown()).default({});

/**
 * The parts of a policy that decide, read from a parsed body of any release: an older one has fewer sections, and what
 * it does not say it does not ask for.
 */
const decidingParts = z.looseObject({
  risk_tiers: z.partialRecord(tier, texts),
  approvals: z.partialRecord(tier, texts),
  rubric: z.looseObject({ pass_total: z.number() }),
  roles: z.record(z.string(), texts).default({}),
  platform_actions: z.record(z.string(), z.looseObject({ tier, flow: z.string().optional() }))
    .default({}),
  actions: z.record(z.string(), z.string()).default({}),
  sources: z.record(z.string(), z.looseObject({ action: z.string(), flow: z.string() })).default(
    {},
  ),
  flows: z.record(
    z.string(),
    z.looseObject({
      nodes: z.array(z.looseObject({
        id: z.string(),
        agent: z.string(),
        tier: tier.optional(),
        action: z.string().optional(),
        after: texts.optional(),
      })),
    }),
  ).default({}),
  limits: z.looseObject({ trading: figures, payments: figures }).default({
    trading: {},
    payments: {},
  }),
  trading: z.looseObject({ reduce_only_approvals: texts.optional() }).default({}),
});
export type DecidingPolicy = z.infer<typeof decidingParts>;

/** Null for a body that cannot be read: it decides nothing. */
export function decidingPolicyOf(body: unknown): DecidingPolicy | null {
  const read = decidingParts.safeParse(body);
  return read.success ? read.data : null;
}

export type Slot = "operator_approval" | "owner_approval";
export interface ApprovalRule {
  min_score: number;
  slots: Slot[];
  dry_run: boolean;
}
/** Somebody who says yes. Two accounts of one person are one person. */
export interface Yes {
  person: string;
  role: string;
}

// A name from outside must not find what every object has, such as `constructor`.
const own = <T>(record: Record<string, T>, key: string): T | null =>
  Object.hasOwn(record, key) ? record[key] : null;

/** Null for an action that the policy does not name. Named twice, the stricter counts. */
export const tierIn = (policy: DecidingPolicy, action: string): Tier | null =>
  highestTier([
    ...tiers.filter((name) => policy.risk_tiers[name]?.includes(action)),
    ...[own(policy.platform_actions, action)?.tier ?? null].filter((name) => name !== null),
  ]);

/** The rule of a tier, or of an order that can only make a position smaller; null for one that cannot be read. */
export function ruleIn(
  policy: DecidingPolicy,
  tier: Tier,
  reduction = false,
): ApprovalRule | null {
  const lighter = reduction ? policy.trading.reduce_only_approvals : undefined;
  const parsed = parseRule(lighter ?? policy.approvals[tier] ?? []);
  const floor = policy.rubric.pass_total;
  if (!parsed.ok || ![7, 8, 9].includes(floor)) return null;
  const slots = parsed.rule.flags.filter((flag) => flag !== "dry_run_required");
  if (slots.length === 0 && (tier === "T2" || tier === "T3")) return null;
  return {
    min_score: Math.max(round4(floor / totalMax), parsed.rule.min_score ?? 0),
    slots,
    dry_run: parsed.rule.flags.includes("dry_run_required"),
  };
}

/** The member's roles that fill a slot. A reviewer decides nothing, whatever a policy says. */
export const rolesFor = (policy: DecidingPolicy, slot: string): string[] =>
  (own(policy.roles, slot) ?? []).filter((role) => role === "owner" || role === "operator");

/** Whether distinct persons fill every slot, tried person by person. */
export function filled(policy: DecidingPolicy, slots: readonly string[], yes: Yes[]): boolean {
  const next = (open: readonly string[], taken: readonly string[]): boolean => {
    const [slot, ...rest] = open;
    if (slot === undefined) return true;
    return yes.some(({ person, role }) =>
      !taken.includes(person) && rolesFor(policy, slot).includes(role) &&
      next(rest, [...taken, person])
    );
  };
  return next(slots, []);
}

/** The flow that a request takes; a source's own flow holds for the action that the source stands for. */
export function flowIn(policy: DecidingPolicy, source: string, action: string): string | null {
  const from = own(policy.sources, source);
  if (from?.action === action) return from.flow;
  return own(policy.actions, action) ?? own(policy.platform_actions, action)?.flow ?? null;
}

/** A task's tier: its action's, or that of its flow's riskiest node; null for an unknown action. */
export function plannedTier(policy: DecidingPolicy, source: string, action: string): Tier | null {
  const base = tierIn(policy, action);
  const flow = flowIn(policy, source, action);
  const nodes = flow === null ? [] : own(policy.flows, flow)?.nodes ?? [];
  return base && highestTier([
    base,
    ...nodes.flatMap((node) => node.tier ?? []),
    ...nodes.flatMap(({ action: does }) => (does ? tierIn(policy, does) : null) ?? []),
  ]);
}

export const limitBands = ["below", "equal", "above", "unknown"] as const;
export type LimitBand = typeof limitBands[number];
/** Actions whose effect is held against limits. */
export const limited: ReadonlySet<string> = new Set(["TRADE", "PAYMENT", "WITHDRAWAL"]);

/** One point of the domain: everything that the gate before an effect looks at in the policy. */
export interface Point {
  action: string;
  /** What a plan has made of the tier; it can raise it and never lower it. */
  raised: Tier;
  reduction?: boolean;
  yes: Yes[];
  /** Null: the critic has not spoken. */
  score: number | null;
  flagged: boolean;
  dry_run: boolean;
  limit: LimitBand;
}
export type Answer =
  | "allowed"
  | "policy_invalid"
  | "unclassified_action"
  | "evaluation_missing"
  | "critic_rejected"
  | "approval_missing"
  | "dry_run_missing"
  | "limit_exceeded";

/** What the gate answers, in the order in which the database asks. */
export function answerAt(policy: DecidingPolicy, point: Point): Answer {
  const tier = tierIn(policy, point.action);
  if (tier === null) return "unclassified_action";
  const rule = ruleIn(policy, highestTier([tier, point.raised]) ?? tier, point.reduction);
  if (rule === null) return "policy_invalid";
  if (point.score === null) return "evaluation_missing";
  if (point.flagged || point.score < rule.min_score) return "critic_rejected";
  if (!filled(policy, rule.slots, point.yes)) return "approval_missing";
  if (rule.dry_run && !point.dry_run) return "dry_run_missing";
  // Equality passes; what cannot be measured is not below anything.
  if (limited.has(point.action) && (point.limit === "above" || point.limit === "unknown")) {
    return "limit_exceeded";
  }
  return "allowed";
}

/** Who might say yes: nobody, each role alone, one person twice, two of a kind, both, and no member at all. */
export const groups: Record<string, Yes[]> = {
  nobody: [],
  operator: [{ person: "a", role: "operator" }],
  owner: [{ person: "a", role: "owner" }],
  reviewer: [{ person: "a", role: "reviewer" }],
  agent: [{ person: "a", role: "agent" }],
  "one person twice": [{ person: "a", role: "operator" }, { person: "a", role: "owner" }],
  "two operators": [{ person: "a", role: "operator" }, { person: "b", role: "operator" }],
  "two owners": [{ person: "a", role: "owner" }, { person: "b", role: "owner" }],
  "two reviewers": [{ person: "a", role: "reviewer" }, { person: "b", role: "reviewer" }],
  both: [{ person: "a", role: "operator" }, { person: "b", role: "owner" }],
  everybody: [
    { person: "a", role: "operator" },
    { person: "b", role: "owner" },
    { person: "c", role: "reviewer" },
  ],
};

/** Names that no policy has: an invented one, a known one in another spelling, nothing, and what every object has. */
export const strangers = ["INVENTED_ACTION", "publish", "PUBLISH ", "", "constructor", "__proto__"];

export const actionsOf = (policy: DecidingPolicy): string[] => [
  ...new Set([
    ...tiers.flatMap((name) => policy.risk_tiers[name] ?? []),
    ...Object.keys(policy.platform_actions),
  ]),
];

/** The scores between which the answer can change: each threshold, and just below it. */
export function scoreBands(policy: DecidingPolicy): (number | null)[] {
  const thresholds = tiers.flatMap((name) => ruleIn(policy, name)?.min_score ?? []);
  const edges = [floorScore, ...thresholds].flatMap((edge) => [round4(edge - 0.0001), edge]);
  return [null, ...[...new Set([0, ...edges, 1])].sort((a, b) => a - b)];
}
