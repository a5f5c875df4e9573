import { embed } from "../../functions/_channels/embedder.ts";
import { binanceQuotes } from "../../functions/_channels/quotes.ts";
import { fetchFrom } from "../../functions/_channels/safe-fetch.ts";
import type { Database } from "../../functions/_database/database.ts";
import { mask } from "../../functions/_domain/mask.ts";
import type { Environment } from "../../functions/_edge/environment.ts";

export interface CanaryAnswer {
  asked: boolean;
  good: boolean;
  said: string;
}

/**
 * One call of a tool past its breaker, to see whether it is back. Only what changes nothing is called; of the others
 * nothing is known until their breaker lets its own probe through.
 */
export async function canary(
  environment: Pick<Environment, "quoteUrl">,
  database: Database,
  tool: string,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Promise<CanaryAnswer> {
  const calls: Record<string, () => Promise<string>> = {
    "quotes.read": async () => {
      const { quoteUrl } = environment;
      const quotes = binanceQuotes({ url: quoteUrl, fetch: fetchFrom(quoteUrl, fetch) });
      const { symbol } = await quotes.read("BTCUSDT");
      return `a price of ${symbol}`;
    },
    embed: async () => `a vector of ${(await embed("canary")).length}`,
    "chunks.search": async () => {
      const found = await database.call<unknown[]>("search_chunks", {
        p_symbol: "BTCUSDT",
        p_embedding: await embed("canary"),
        p_limit: 1,
      });
      return `${found.length} chunks`;
    },
  };
  if (!Object.hasOwn(calls, tool)) {
    return { asked: false, good: false, said: "no call of it is known that changes nothing" };
  }
  try {
    return { asked: true, good: true, said: await calls[tool]() };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return { asked: true, good: false, said: mask(said).slice(0, 300) };
  }
}
