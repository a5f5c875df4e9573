import type { AccessGrant } from "../_domain/access.ts";
import { paidOrder } from "../_domain/payment-order.ts";
import type { Policy } from "../_domain/policy.ts";
import type { Proposal } from "../_domain/result.ts";
import type { StepWork } from "../_domain/task.ts";

export type AccessProposal = Proposal & { grant?: AccessGrant };

/**
 * The proposal of a paid order says whom it lets in and for how long; any other request stays as it was described. What
 * the order is worth is the database's to say, for this reads only what the task claims of itself.
 */
export function withGrant(
  proposal: Proposal,
  { task }: Pick<StepWork, "task">,
  policy: Policy,
): AccessProposal {
  if (task.action !== "PAYMENT" || task.source !== "ton") return proposal;
  const paid = paidOrder.safeParse(task.payload);
  if (!paid.success) return proposal;
  const { order_id, telegram_user_id, plan, days } = paid.data;
  const join_minutes = String(policy.payments.join_minutes);
  return { ...proposal, grant: { order_id, telegram_user_id, plan, days, join_minutes } };
}
