import { callbackText } from "../_domain/reply.ts";
import { holdsCode } from "../_domain/second-factor.ts";
import { readUpdate } from "../_domain/telegram.ts";
import { admit } from "../_edge/door.ts";
import { note } from "../_edge/log.ts";
import { pathBelow } from "../_edge/path.ts";
import { refuse, respond } from "../_edge/respond.ts";
import { sameSecret } from "../_edge/secret.ts";
import { type DecisionDeps, takeUpdate } from "./decision.ts";

/** Far above what one update weighs, far below what would hurt. */
const updateLimit = 512 * 1024;

export interface TelegramWebhookDeps extends DecisionDeps {
  /** What Telegram sends back in `X-Telegram-Bot-Api-Secret-Token`. */
  secret: string;
  /** The bot's own @name; asked only when a message mentions one. */
  username: () => Promise<string | null>;
}

/**
 * Takes one update, then answers 2xx, refusals included, for Telegram repeats whatever is not 2xx and holds back what
 * comes after it. A tapped button is answered in the response body, so it stops spinning without a call of ours; nobody
 * learns whether that arrived, hence nothing else is said this way.
 */
export async function handle(request: Request, deps: TelegramWebhookDeps): Promise<Response> {
  if (pathBelow(request, "telegram-webhook")?.length !== 0) return refuse("not_found");
  const visit = await admit(request, {
    method: "POST",
    caller: async (caller) => {
      const presented = caller.headers.get("x-telegram-bot-api-secret-token") ?? "";
      return await sameSecret(presented, deps.secret) ? "telegram" : null;
    },
    maxBytes: updateLimit,
  });
  if (visit instanceof Response) return visit;

  const username = visit.text.includes("@") ? await deps.username() : null;
  const update = readUpdate(visit.text, username);
  if (update === null) return refuse("invalid_request", { reason: "this is no Telegram update" });

  const { callback_id, ...read } = update;
  const handled = await takeUpdate(deps, read, holdsCode(visit.text));
  note(request, { outcome: handled.outcome, code: handled.refused });
  if (callback_id === null) return respond({ outcome: handled.outcome });
  return respond({
    method: "answerCallbackQuery",
    callback_query_id: callback_id,
    text: callbackText(handled),
  });
}
