import { z } from "zod";
import { positive } from "./decimal.ts";

export const price = z.string().max(64).refine((text) => positive(text) === text, {
  message: "no decimal above zero",
});

/** What a named source says a symbol costs, at the source's own time. An alert is never a source. */
export const quoteSchema = z.object({
  symbol: z.string().regex(/^[A-Z0-9][A-Z0-9._:-]{1,31}$/),
  source: z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/),
  price,
  bid: price.nullable(),
  ask: price.nullable(),
  observed_at: z.iso.datetime(),
});
export type Quote = z.infer<typeof quoteSchema>;

export type Side = "buy" | "sell";

/** What one would get now: a buyer pays the ask, a seller takes the bid. */
export const touchOf = (quote: Quote, side: Side): string =>
  (side === "buy" ? quote.ask : quote.bid) ?? quote.price;
