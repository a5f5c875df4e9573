import { z } from "zod";

const figure = z.string().max(64).regex(/^(0|[1-9]\d{0,9})(\.\d{1,18})?$/);

/** One execution as a broker reports it: its own id, figures as text, its own time. */
export const brokerFill = z.object({
  id: z.string().min(1).max(100),
  kind: z.enum(["stop_loss", "take_profit"]).optional(),
  quantity: figure,
  price: figure,
  fee: figure,
  executed_at: z.string().max(40).regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/),
});

const filled = z.object({
  status: z.literal("filled"),
  broker_order_id: z.string().max(100).optional(),
  fills: z.array(brokerFill).min(1).max(100),
});
const rejected = z.object({
  status: z.literal("rejected"),
  reason: z.string().max(500).optional(),
});
const closed = z.object({
  status: z.literal("closed"),
  fills: z.array(brokerFill).min(1).max(100),
});
const key = { key: z.string().min(1).max(500) };

/** The final answer to an order. */
export const brokerAnswer = z.discriminatedUnion("status", [filled, rejected]);
export type BrokerAnswer = z.infer<typeof brokerAnswer>;

/** What a broker tells of its own accord, under the key of the order: its outcome, or later that stop or target was hit. */
export const brokerReport = z.discriminatedUnion("status", [
  filled.extend(key),
  rejected.extend(key),
  closed.extend(key),
]);
export type BrokerReport = z.infer<typeof brokerReport>;

/** What became of an order, as far as it was seen; the words are those of `api.confirm_effect`. */
export type Placed =
  | { outcome: "confirmed"; receipt: Extract<BrokerAnswer, { status: "filled" }> }
  | { outcome: "failed"; receipt: { status: "rejected"; error: string } }
  | {
    outcome: "not_sent";
    receipt: { retry_after?: number; error: string };
    /** Nobody answered, as opposed to an answer that asks to wait. */
    unreached?: true;
  }
  | { outcome: "unknown"; receipt: { error: string } };
