import { z } from "zod";

const amount = z.string().regex(/^(0|[1-9]\d{0,19})(\.\d{1,18})?$/);
const whole = z.string().regex(/^[1-9]\d{0,37}$/);

/** A Telegram account as a payment knows it. */
export const buyerId = z.string().regex(/^[1-9]\d{0,19}$/);
export const orderId = z.string().regex(/^[a-z2-7]{26}$/);
export const planName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);

/** What a verified payment says of itself in its task: written by `api.accept_payment`, read again before it counts. */
export const paidOrder = z.object({
  account_id: z.string().max(32),
  telegram_user_id: buyerId,
  order_id: orderId,
  plan: planName,
  days: z.string().regex(/^[1-9]\d{0,3}$/),
  price: amount,
  amount,
  currency: z.literal("TON"),
  amount_nano: whole,
  tx_hash: z.string().regex(/^[0-9a-f]{64}$/),
  lt: whole,
  paid_at: z.string().max(40),
});
export type PaidOrder = z.output<typeof paidOrder>;

/** What a wallet opens with everything filled in: nobody has to type 26 letters. */
export const transferLink = (
  wallet: string,
  order: { order_id: string; price_nano: string },
): string => `ton://transfer/${wallet}?amount=${order.price_nano}&text=${order.order_id}`;
