import { z } from "zod";
import { buyerId, orderId, planName } from "./payment-order.ts";

/** Who would be let in for how long: the member `grant` of an access's proposal, and byte for byte the effect's payload. */
export const accessGrant = z.strictObject({
  order_id: orderId,
  telegram_user_id: buyerId,
  plan: planName,
  days: z.string().regex(/^[1-9]\d{0,3}$/),
  /** How long the invitation can be used. */
  join_minutes: z.string().regex(/^[1-9]\d{0,5}$/),
});
export type AccessGrant = z.output<typeof accessGrant>;

const text = z.string().max(64).nullish().transform((value) => value ?? null);

/** What the gates of the database said when they were asked without anything being done. */
export const accessRehearsal = z.object({
  order_id: orderId,
  telegram_user_id: buyerId,
  plan: planName,
  days: z.string().max(8),
  amount: text,
  currency: text,
  amount_usdt: text,
  cap_usdt: text,
  override_usdt: text,
  kyc_complete: z.boolean(),
  cool_down_until: text,
  subscribed_until: text,
  problem: text,
  quote: z.object({ symbol: text, source: text, price: text, observed_at: text }).nullish()
    .transform((quote) => quote ?? null),
});
export type AccessRehearsal = z.output<typeof accessRehearsal>;

/** One door and one account: what a join request and a removal are about. */
export const doorAndAccount = z.object({
  chat_id: z.string().regex(/^-?[1-9]\d{0,19}$/),
  user_id: buyerId,
});

/** The longest name that Telegram gives an invitation. */
const nameLimit = 32;

/** Names the invitation in the group's own list, so that an admin can tell whose it is. */
export const inviteName = (grant: AccessGrant, taskId: string): string =>
  `${taskId} ${grant.plan}`.slice(0, nameLimit);
