import { z } from "zod";
import { criteria, totalFloor, totalMax } from "./evaluation.ts";
import { planNode } from "./plan.ts";
import { type ApprovalFlag, parseRule } from "./rule.ts";
import { type Tier, tiers } from "./task.ts";

const name = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/);
const action = z.string().regex(/^[A-Z][A-Z0-9_]{0,31}$/);
const actions = z.array(action).min(1).max(64);
const tier = z.enum(["T0", "T1", "T2", "T3"]);
const percent = z.number().positive().max(100);
const count = z.number().int().positive().max(1_000_000);
const decimal = z.string().regex(/^(0|[1-9]\d{0,8})(\.\d{1,8})?$/);
const version = z.string().max(64).regex(/^[a-z][a-z0-9-]*:[a-z0-9][a-z0-9.-]*$/);
const tool = z.string().regex(/^[a-z][a-z_]{0,31}(\.[a-z][a-z_]{0,31})?$/);
// A reviewer audits and decides nothing, so the role cannot be named here.
const decidingRoles = z.array(z.enum(["owner", "operator"])).min(1).max(2);

// A token is checked here and not only when the rule is needed: an unreadable rule must stop the boot.
const rule = z.array(z.string().max(60)).max(8).superRefine((tokens, context) => {
  const parsed = parseRule(tokens);
  if (!parsed.ok) context.addIssue({ code: "custom", message: parsed.reason });
});

const flow = z.strictObject({
  expires_minutes: z.number().int().min(1).max(10_080),
  nodes: z.array(planNode).min(1).max(64),
});

/** The file's shape. Nothing is optional where silence could be read as permission, and nothing has a default. */
export const policySchema = z.strictObject({
  version: z.number().int().positive(),
  limits: z.strictObject({
    trading: z.strictObject({
      max_daily_loss_pct: percent,
      max_drawdown_pct: percent,
      max_positions: count,
    }),
    payments: z.strictObject({
      max_single_tx_usdt: z.number().nonnegative().max(1_000_000_000),
      cool_down_minutes: z.number().int().nonnegative().max(525_600),
    }),
  }),
  risk_tiers: z.strictObject({ T0: actions, T1: actions, T2: actions, T3: actions }),
  approvals: z.strictObject({ T0: rule.optional(), T1: rule.optional(), T2: rule, T3: rule }),
  agents: z.strictObject({
    planner: version,
    researcher: version,
    retriever: version,
    trader: version,
    exec: version,
    communicator: version,
    critic: version,
  }),
  optional_agents: z.record(name, version.nullable()),
  roles: z.strictObject({ operator_approval: decidingRoles, owner_approval: decidingRoles }),
  platform_actions: z.record(
    action,
    z.strictObject({
      tier,
      flow: name,
      checks: z.array(z.enum(["policy", "factuality", "format", "risk"])).min(1),
    }),
  ),
  actions: z.record(action, name),
  sources: z.record(name, z.strictObject({ action, flow: name })),
  flows: z.record(name, flow),
  tools: z.record(name, z.array(tool).max(32)),
  second_factor: z.strictObject({
    required: z.array(tier).max(4),
    wrong_codes: z.number().int().min(1).max(20),
    window_minutes: z.number().int().min(1).max(1440),
  }),
  trading: z.strictObject({
    quote_sources: z.array(name).min(1).max(8),
    max_quote_age_seconds: z.number().int().min(1).max(3600),
    max_price_drift_pct: decimal,
    fee_pct: decimal,
    slippage_pct: decimal,
    min_reward_risk: decimal,
    reduce_only_approvals: rule,
  }),
  payments: z.strictObject({
    plans: z.record(
      z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
      z.strictObject({
        days: z.number().int().min(1).max(3660),
        price: decimal,
        currency: z.literal("TON"),
      }),
    ),
    order_minutes: z.number().int().min(5).max(1440),
    quote_symbol: z.string().regex(/^[A-Z0-9]{3,20}$/),
    join_minutes: z.number().int().min(10).max(10_080),
  }),
  emergency: z.strictObject({
    confirm_minutes: z.number().int().min(1).max(60),
    // A quarter of an hour is the most that a broken glass may stay broken.
    break_glass_minutes: z.number().int().min(1).max(15),
  }),
  guardrails: z.strictObject({
    signal: z.strictObject({
      min_reward_risk: decimal,
      derive: z.strictObject({ stop_loss_pct: decimal, reward_risk: decimal }),
    }),
    text: z.strictObject({
      max_goal_chars: count,
      max_note_chars: count,
      max_artifact_chars: count,
      max_published_chars: count.max(4096),
      blocked_url_schemes: z.array(z.string().regex(/^[a-z][a-z0-9+.-]*$/)).min(1),
    }),
  }),
  rubric: z.strictObject({
    // Scores are stored as ninths and marks have fixed ranges, in the database too. The file shows them and cannot move them.
    maxima: z.strictObject({
      policy: z.literal(criteria.policy),
      evidence: z.literal(criteria.evidence),
      factuality: z.literal(criteria.factuality),
      clarity: z.literal(criteria.clarity),
      risk: z.literal(criteria.risk),
    }),
    pass_total: z.number().int().min(totalFloor).max(totalMax),
    default_threshold: z.number().min(0).max(1),
  }),
  rate_limits: z.strictObject({
    intake_per_minute: count,
    intake_burst: count,
    telegram_commands_per_minute: count,
    tools: z.record(tool, count),
    /** Tools that nobody may call while the counter that all workers share does not answer. */
    fail_closed: z.array(tool).max(32).optional(),
  }),
  windows: z.strictObject({
    duplicate_seconds: count,
    alert_id_seconds: count,
    request_hours: z.number().int().min(1).max(168),
    // At least a month: shorter, and what a receipt could prove is gone before anybody asks.
    raw_days: z.number().int().min(30).max(3650),
  }),
});

export type Policy = z.infer<typeof policySchema>;
export type Flow = Policy["flows"][string];

// Names come from outside, and an object answers to `constructor` too.
const own = <T>(record: Record<string, T>, key: string): T | null =>
  Object.hasOwn(record, key) ? record[key] : null;

/** The tier of an action; null for an action that the policy does not name, which is refused and never T0. */
export const tierOf = (policy: Policy, action: string): Tier | null =>
  tiers.find((tier) => policy.risk_tiers[tier].includes(action)) ??
    own(policy.platform_actions, action)?.tier ?? null;

/** The flow of a request. A source's own flow holds only for the action that the source stands for. */
export function flowOf(policy: Policy, request: { source: string; action: string }): string | null {
  const source = own(policy.sources, request.source);
  if (source?.action === request.action) return source.flow;
  return own(policy.actions, request.action) ??
    own(policy.platform_actions, request.action)?.flow ?? null;
}

/** `name:version` of an agent class; null where the class is unknown or has no version yet. */
export const agentVersion = (policy: Policy, agentClass: string): string | null =>
  own<string>(policy.agents, agentClass) ?? own(policy.optional_agents, agentClass);

/** What a tier asks for before its effect: the floor of the rubric holds beside the tier's threshold. */
export function approvalRule(
  policy: Policy,
  tier: Tier,
): { min_score: number; slots: Exclude<ApprovalFlag, "dry_run_required">[]; dry_run: boolean } {
  const parsed = parseRule(policy.approvals[tier] ?? []);
  if (!parsed.ok) throw new Error(`approvals.${tier}: ${parsed.reason}`);
  const { min_score, flags } = parsed.rule;
  const floor = Math.round(policy.rubric.pass_total / totalMax * 10_000) / 10_000;
  return {
    min_score: Math.max(floor, min_score ?? 0),
    slots: flags.filter((flag) => flag !== "dry_run_required"),
    dry_run: flags.includes("dry_run_required"),
  };
}
