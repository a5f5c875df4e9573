import { compare, multiply } from "../_domain/decimal.ts";
import { type DryRun, dryRunSchema, sameRehearsal } from "../_domain/dry-run.ts";
import { bracketProblem, type Order, readOrder, rewardToRisk } from "../_domain/order.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { Proposal } from "../_domain/result.ts";
import type { Subject } from "./critic-subject.ts";
import { payloadOf } from "./source-material.ts";

/** The newest rehearsal of these very bytes; one of another proposal, or one that cannot be read, is none. */
function rehearsalOf({ inputs, artifact }: Subject): DryRun | null {
  const stored = inputs.findLast(({ type }) => type === "dry_run");
  if (!stored) return null;
  let content: unknown;
  try {
    content = JSON.parse(stored.content);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const read = dryRunSchema.safeParse(content);
  return read.success && read.data.subject_sha256 === artifact.checksum ? read.data : null;
}

function asked(subject: Subject): Order | null {
  try {
    return readOrder(payloadOf(subject.task));
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

/** What breaches the policy: another order than was asked for, no rehearsal, or one that says no. Each loss has a name. */
export function tradeBreaches({ order }: Proposal, subject: Subject): string[] {
  if (order === undefined) return ["order_missing: the proposal names no order"];
  const wanted = asked(subject);
  const differs = (Object.keys(order) as (keyof Order)[]).filter((name) =>
    wanted?.[name] !== order[name]
  );
  const losses = differs.map((name) => `order_differs: ${name} is not what was asked for`);
  const run = rehearsalOf(subject);
  if (run === null) return [...losses, "dry_run_missing: nobody rehearsed this order"];
  if (!sameRehearsal(run, order, subject.policy.trading)) {
    losses.push("dry_run_disagrees: done again it comes to other figures");
  }
  return [
    ...losses,
    ...run.limits.filter(({ within }) => !within).map(({ name, value, threshold }) =>
      `limit_exceeded: ${name} ${value} of ${threshold}`
    ),
    ...(run.verdict === "pass" ? [] : run.problems.map((why) => `dry_run_failed: ${why}`)),
  ];
}

/** What makes an order too risky by itself: a bracket that is none, or a reward that is not worth it. */
export function tradeDangers({ order }: Proposal, subject: Subject): string[] {
  if (order === undefined || order.reduce_only) return [];
  const problem = bracketProblem(order);
  if (problem !== null) return [`incomplete_bracket: ${problem}`];
  const entry = order.price ?? rehearsalOf(subject)?.price;
  // Without a rehearsal a market order has no entry; that loss is counted above.
  if (entry === undefined) return [];
  const ratio = rewardToRisk(order, entry);
  if (ratio === null) return [`wrong_side: ${entry} does not lie between stop and target`];
  const least = subject.policy.trading.min_reward_risk;
  return compare(ratio.reward, multiply(least, ratio.risk)) < 0
    ? [`reward_risk: below ${least}`]
    : [];
}
