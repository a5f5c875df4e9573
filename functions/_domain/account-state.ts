import { z } from "zod";

export const figure = z.string().max(64).regex(/^-?\d{1,38}(\.\d{1,18})?$/);
const count = z.string().regex(/^\d{1,9}$/);
const name = z.string().min(1).max(64);

/** Where an account stood when the order was rehearsed; what `api.account_state` answers. */
export const accountState = z.object({
  account_id: name,
  channel: z.enum(["paper", "http-bridge"]),
  currency: name,
  status: name,
  equity: figure,
  equity_at_open: figure,
  peak_equity: figure,
  day_loss: figure,
  open_positions: count,
  /** What the open positions can still lose, down to their stops. */
  open_risk: figure,
  in_flight: count,
  in_flight_loss: figure,
  positions: z.array(
    z.object({ symbol: name, side: z.enum(["long", "short"]), open_quantity: figure }),
  ).max(1000),
  limits: z.object({
    max_daily_loss_pct: figure,
    max_drawdown_pct: figure,
    max_positions: figure,
    max_order_size: figure.optional(),
    daily_loss_cap: figure.optional(),
  }),
});
export type AccountState = z.infer<typeof accountState>;
