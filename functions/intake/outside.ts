import { reportVerifier } from "../_channels/broker-bridge.ts";
import { fetchFrom } from "../_channels/safe-fetch.ts";
import { type ChainAnswer, type TonChannel, tonChannel } from "../_channels/ton.ts";
import { breakersOf } from "../_database/breakers.ts";
import type { Database } from "../_database/database.ts";
import { behindBreaker, type Breakers, type CallOutcome } from "../_domain/breaker.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { Environment } from "../_edge/environment.ts";
import type { IntakeDeps } from "./handler.ts";

function outcomeOf(answer: ChainAnswer): CallOutcome {
  if (answer.found !== "unreachable") return "success";
  return answer.asks_to_wait ? "released" : "failure";
}

/** While the chain's window is left alone it is not seen, like one that does not answer: the sender comes again. */
const behind = (breakers: Breakers, ton: TonChannel): TonChannel => ({
  async transaction(hash) {
    try {
      return await behindBreaker(breakers, "ton.read", () => ton.transaction(hash), outcomeOf);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { found: "unreachable", reason: error.detail };
    }
  },
});

/** The doors that only some have: each stays closed until its variables are set. */
export function doorsOf(
  { ton, bridge }: Pick<Environment, "ton" | "bridge">,
  fetch: typeof globalThis.fetch,
  database: Database,
): Pick<IntakeDeps, "payments" | "broker"> {
  return {
    payments: {
      webhook_token: ton.webhookToken,
      wallet: ton.wallet,
      ton: ton.wallet === null ? null : behind(
        breakersOf({ database, now: () => new Date() }),
        tonChannel({
          api_url: ton.apiUrl,
          api_key: ton.apiKey,
          fetch: fetchFrom(ton.apiUrl, fetch),
        }),
      ),
    },
    broker: { verify: bridge && reportVerifier(bridge.secret) },
  };
}
