import type { Doorkeeping } from "../../functions/communicator/outside.ts";
import type { Breakers } from "../../functions/_domain/breaker.ts";
import { Refusal } from "../../functions/_domain/refusal.ts";
import type { Outside } from "../../functions/orchestrator/outside.ts";

/** Every tool may be called, and nobody counts. */
export const freely: Breakers = {
  admit: (tool) => Promise.resolve({ tool, probe: null }),
  report: () => Promise.resolve(),
};

/** A world outside that does not answer: no price, no account, no broker. The bundled policy is the one in force. */
export const noOutside: Outside & { bundle: () => Promise<null> } = {
  market: () => Promise.reject(new Refusal("unavailable", "There is no source of prices here.")),
  account: () => Promise.reject(new Refusal("unknown_account")),
  bridge: null,
  breakers: freely,
  watch: () => Promise.resolve(),
  bundle: () => Promise.resolve(null),
};

/** A house without a bot: nobody is let in, nothing is posted. */
export const noDoor: Omit<Doorkeeping, "telegram"> = {
  membership: null,
  vip_chat_id: null,
  breakers: freely,
  refresh_quote: null,
};
