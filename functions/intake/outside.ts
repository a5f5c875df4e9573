import { reportVerifier } from "../_channels/broker-bridge.ts";
import { fetchFrom } from "../_channels/safe-fetch.ts";
import { tonChannel } from "../_channels/ton.ts";
import type { Environment } from "../_edge/environment.ts";
import type { IntakeDeps } from "./handler.ts";

/** The doors that only some have: each stays closed until its variables are set. */
export function doorsOf(
  { ton, bridge }: Pick<Environment, "ton" | "bridge">,
  fetch: typeof globalThis.fetch,
): Pick<IntakeDeps, "payments" | "broker"> {
  return {
    payments: {
      webhook_token: ton.webhookToken,
      wallet: ton.wallet,
      ton: ton.wallet === null ? null : tonChannel({
        api_url: ton.apiUrl,
        api_key: ton.apiKey,
        fetch: fetchFrom(ton.apiUrl, fetch),
      }),
    },
    broker: { verify: bridge && reportVerifier(bridge.secret) },
  };
}
