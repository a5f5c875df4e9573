import { z } from "zod";
import { decimal, positive } from "../_domain/decimal.ts";
import { type Quote, quoteSchema } from "../_domain/quote.ts";
import { Refusal } from "../_domain/refusal.ts";

export interface QuoteChannel {
  /** The newest price as the source gives it; throws `unavailable`, `rate_limited` or `insufficient_data`. */
  read(symbol: string): Promise<Quote>;
}

export interface QuoteOptions {
  /** The API's root, such as https://api.binance.com. */
  url: string;
  fetch: typeof globalThis.fetch;
  timeoutMs?: number;
}

// Numbers come as text and stay text. An empty side of the book is "0.00000000".
const figure = z.string().max(64);
const ticker = z.object({
  symbol: z.string(),
  lastPrice: figure,
  bidPrice: figure.nullish(),
  askPrice: figure.nullish(),
  closeTime: z.number().int().positive(),
});

const longest = 16_384;

/**
 * Binance's 24-hour ticker: the one of its price endpoints that says when. The time is the exchange's, so a frozen
 * market shows as an old price and not as a fresh one.
 */
export function binanceQuotes({ url, fetch, timeoutMs = 5_000 }: QuoteOptions): QuoteChannel {
  return {
    async read(symbol) {
      let response: Response;
      let text: string;
      try {
        response = await fetch(`${url}/api/v3/ticker/24hr?symbol=${encodeURIComponent(symbol)}`, {
          redirect: "error",
          signal: AbortSignal.timeout(timeoutMs),
        });
        text = (await response.text()).slice(0, longest);
      } catch (error) {
        if (error instanceof Refusal) throw error;
        throw new Refusal("unavailable", "binance did not answer with a price.");
      }
      if (response.status === 429 || response.status === 418) {
        throw new Refusal("rate_limited", "binance asks to be asked less often.", {
          retry_after: retryAfter(response.headers),
        });
      }
      if (response.status === 400) {
        throw new Refusal("insufficient_data", `binance lists no ${symbol}.`);
      }
      if (!response.ok) {
        throw new Refusal("unavailable", `binance answered with ${response.status}.`);
      }
      return readTicker(symbol, text);
    },
  };
}

/** The seconds that an answer asks to wait; a date or nonsense is left to our own pause. */
function retryAfter(headers: Headers): number | undefined {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0
    ? Math.min(Math.ceil(seconds), 86_400)
    : undefined;
}

function readTicker(symbol: string, text: string): Quote {
  const unreadable = new Refusal("unavailable", "binance's answer is no price of this symbol.");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw unreadable;
    throw error;
  }
  const read = ticker.safeParse(value);
  if (!read.success || read.data.symbol !== symbol) throw unreadable;
  const { lastPrice, bidPrice, askPrice, closeTime } = read.data;
  const quote = quoteSchema.safeParse({
    symbol,
    source: "binance",
    price: decimal(lastPrice),
    bid: positive(bidPrice ?? ""),
    ask: positive(askPrice ?? ""),
    observed_at: isoOf(closeTime),
  });
  if (!quote.success) throw unreadable;
  return quote.data;
}

/** Beyond the year 275760 there is no date; such a time is no time. */
const isoOf = (milliseconds: number): string | null =>
  milliseconds > 8.64e15 ? null : new Date(milliseconds).toISOString();
