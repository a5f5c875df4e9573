import type { Json } from "../../../functions/_domain/json.ts";
import { composeProposal } from "../../../functions/_agents/executor.ts";
import { withGrant } from "../../../functions/_agents/access-proposal.ts";
import { act, policy, stepOf, subjectOf } from "./critic-scene.ts";

export const paid: { [name: string]: Json } = {
  account_id: "telegram:880001",
  telegram_user_id: "880001",
  order_id: "abcdefghijklmnopqrstuvwxyz",
  plan: "vip-30",
  days: "30",
  price: "10",
  amount: "10.5",
  currency: "TON",
  amount_nano: "10500000000",
  tx_hash: "9d".repeat(32),
  lt: "52000000000003",
  paid_at: "2026-11-21T10:00:00.000Z",
};
export const goal = "Let Telegram account 880001 in for 30 days (vip-30), paid with 10.5 TON";
export const grant = {
  order_id: "abcdefghijklmnopqrstuvwxyz",
  telegram_user_id: "880001",
  plan: "vip-30",
  days: "30",
  join_minutes: "1440",
};

/** A paid order's task as its steps see it; `proposal` replaces what the act step made. */
export function access(
  change: { payload?: Json; source?: string; action?: string } = {},
  proposal?: unknown,
) {
  const task = {
    action: "PAYMENT",
    source: "ton",
    risk_tier: "T3" as const,
    flow: "access",
    goal,
    payload: paid,
    ...change,
  };
  const before = stepOf(subjectOf(act("plan", {}), task));
  const made = proposal ?? withGrant(composeProposal(before), before, policy);
  const subject = subjectOf(act("proposal", made, policy.agents.exec), task);
  return { subject, work: { ...stepOf(subject), node_id: "dry_run" }, proposal: made };
}
