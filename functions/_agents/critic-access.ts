import { compare } from "../_domain/decimal.ts";
import { paidOrder } from "../_domain/payment-order.ts";
import type { AccessProposal } from "./access-proposal.ts";
import type { Subject } from "./critic-subject.ts";

/**
 * What is wrong with letting somebody in. The cap is in USDT and held against a fresh price where the effect starts, for
 * a rate would be invented here; an owner may have lifted it, which the digest binds and this does not see.
 */
export function accessBreaches(
  { grant }: Pick<AccessProposal, "grant">,
  { policy, task }: Pick<Subject, "policy" | "task">,
): string[] {
  const paid = paidOrder.safeParse(task.payload);
  if (grant === undefined || !paid.success) return ["no paid order stands behind it"];
  const order = paid.data;
  const breaches = (["order_id", "telegram_user_id", "plan", "days"] as const)
    .filter((name) => grant[name] !== order[name])
    .map((name) => `the ${name} of the grant is not the order's`);
  const plan = Object.hasOwn(policy.payments.plans, order.plan)
    ? policy.payments.plans[order.plan]
    : null;
  if (plan === null) breaches.push(`the policy does not know the plan ${order.plan}`);
  else if (String(plan.days) !== grant.days) {
    breaches.push(`the plan ${order.plan} is of ${plan.days} days`);
  }
  if (grant.join_minutes !== String(policy.payments.join_minutes)) {
    breaches.push("the invitation is open for another time than the policy says");
  }
  if (compare(order.amount, order.price) < 0) breaches.push("less than the price was paid");
  return breaches;
}
