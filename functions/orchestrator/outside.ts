import { type BrokerBridge, brokerBridge } from "../_channels/broker-bridge.ts";
import { binanceQuotes } from "../_channels/quotes.ts";
import { fetchFrom } from "../_channels/safe-fetch.ts";
import { breakersOf } from "../_database/breakers.ts";
import type { Database } from "../_database/database.ts";
import { databaseMemory } from "../_database/working-memory.ts";
import type { AccountState } from "../_domain/account-state.ts";
import { behindBreaker, type Breakers } from "../_domain/breaker.ts";
import type { WorkingMemory } from "../_domain/working-memory.ts";
import type { Environment } from "../_edge/environment.ts";
import { accountOf, type Market, marketOf, watchPositions } from "./market.ts";

/** What steps may ask of the world outside: prices, accounts, and a broker where one is configured. */
export interface Outside {
  market: Market;
  account: (accountId: string) => Promise<AccountState>;
  /** Null where no order can leave the house. */
  bridge: BrokerBridge | null;
  /** Whether a tool outside may be called. */
  breakers: Breakers;
  /** Looks at the prices of what is held, at most every few seconds however often it is called. */
  watch: () => Promise<void>;
  /** What a task keeps at hand; without one every attempt looks everything up. */
  memory?: WorkingMemory;
}

export interface OutsideOptions {
  environment: Pick<Environment, "quoteUrl" | "bridge">;
  database: Database;
  fetch: typeof globalThis.fetch;
  now: () => Date;
}

const watchEveryMs = 5_000;

export function outsideOf({ environment, database, fetch, now }: OutsideOptions): Outside {
  const { quoteUrl, bridge } = environment;
  const breakers = breakersOf({ database, now });
  const quotes = binanceQuotes({ url: quoteUrl, fetch: fetchFrom(quoteUrl, fetch) });
  const market = marketOf(database, {
    read: (symbol) => behindBreaker(breakers, "quotes.read", () => quotes.read(symbol)),
  });
  let watched = Number.NEGATIVE_INFINITY;
  return {
    market,
    breakers,
    account: accountOf(database),
    memory: databaseMemory(database, "orchestrator"),
    bridge: bridge && brokerBridge({
      ...bridge,
      fetch: fetchFrom(bridge.url, fetch),
      now,
      wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    }),
    async watch() {
      if (now().getTime() - watched < watchEveryMs) return;
      watched = now().getTime();
      await watchPositions(database, market);
    },
  };
}
