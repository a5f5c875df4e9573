import { binanceQuotes } from "../_channels/quotes.ts";
import { fetchFrom } from "../_channels/safe-fetch.ts";
import { telegramChannel } from "../_channels/telegram.ts";
import { telegramMembership } from "../_channels/telegram-membership.ts";
import { breakersOf } from "../_database/breakers.ts";
import type { Database } from "../_database/database.ts";
import { behindBreaker } from "../_domain/breaker.ts";
import type { Policy } from "../_domain/policy.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { Environment } from "../_edge/environment.ts";
import type { AccessDeps } from "./access-effect.ts";

export interface Doorkeeping
  extends Pick<AccessDeps, "membership" | "vip_chat_id" | "refresh_quote" | "breakers"> {
  /** Null where there is no bot. */
  telegram: ReturnType<typeof telegramChannel> | null;
}

export interface DoorkeepingOptions {
  environment: Pick<Environment, "telegram" | "vipChatId" | "quoteUrl">;
  database: Database;
  /** Where it is unreadable no price is asked for, and nobody is let in. */
  policy: { ok: true; policy: Policy } | { ok: false };
  fetch: typeof globalThis.fetch;
}

/** What this function's heartbeat says that it depends on. */
export const needsOf = (telegram: object | null) => ({
  dependencies: { communicator: telegram === null ? "console" : "telegram" },
});

/** What letting somebody in needs of the world outside: the group's door, and the price that a cap is held against. */
export function doorkeepingOf(options: DoorkeepingOptions): Doorkeeping {
  const { environment, database, policy, fetch } = options;
  const { botToken, apiRoot } = environment.telegram;
  const quotes = binanceQuotes({
    url: environment.quoteUrl,
    fetch: fetchFrom(environment.quoteUrl, fetch),
  });
  const breakers = breakersOf({ database, now: () => new Date() });
  const bot = botToken === null ? null : { token: botToken, api_root: apiRoot };
  return {
    telegram: bot && telegramChannel(bot),
    membership: bot && telegramMembership(bot),
    vip_chat_id: environment.vipChatId,
    breakers,
    refresh_quote: !policy.ok ? null : async () => {
      try {
        const { quote_symbol } = policy.policy.payments;
        const p_quote = await behindBreaker(
          breakers,
          "quotes.read",
          () => quotes.read(quote_symbol),
        );
        await database.call("record_quote", { p_quote });
      } catch (error) {
        // Without a price the reservation refuses as quote_stale, and says so: that is the answer that counts.
        if (!(error instanceof Refusal)) throw error;
      }
    },
  };
}
