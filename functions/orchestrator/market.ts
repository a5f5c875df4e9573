import type { QuoteChannel } from "../_channels/quotes.ts";
import type { Database } from "../_database/database.ts";
import { type AccountState, accountState } from "../_domain/account-state.ts";
import { type Quote, quoteSchema } from "../_domain/quote.ts";
import { isRefusalCode, Refusal } from "../_domain/refusal.ts";

export type Market = (symbol: string) => Promise<Quote>;

interface Refused {
  refused?: string;
  reason?: string;
}

function unlessRefused<T extends Refused>(answer: T): T {
  if (answer.refused === undefined) return answer;
  throw new Refusal(isRefusalCode(answer.refused) ? answer.refused : "internal", answer.reason);
}

/** A price is stored before anybody uses it, and what is used is what was stored: the newest that the database knows. */
export const marketOf =
  (database: Database, quotes: QuoteChannel | null): Market => async (symbol) => {
    if (quotes === null) throw new Refusal("unavailable", "No source of prices is configured.");
    const p_quote = await quotes.read(symbol);
    return quoteSchema.parse(
      unlessRefused(await database.call<Refused>("record_quote", { p_quote })),
    );
  };

export const accountOf =
  (database: Database) => async (p_account_id: string): Promise<AccountState> =>
    accountState.parse(
      unlessRefused(await database.call<Refused>("account_state", { p_account_id })),
    );

/**
 * Looks at what is held: a price that reached a stop or a target closes its paper position as it is stored. The database
 * hands out a few symbols at a time and takes turns, so that those whose price cannot be had do not keep the others.
 * Returns how many were read.
 */
export async function watchPositions(
  database: Database,
  market: Market,
  olderThanSeconds = 15,
): Promise<number> {
  const symbols = await database.call<string[]>("watched_symbols", {
    p_older_than_seconds: olderThanSeconds,
  });
  let read = 0;
  for (const symbol of symbols) {
    try {
      await market(symbol);
      read++;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return read;
}
