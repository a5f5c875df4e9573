import {
  handle as communicator,
  tick as communicate,
} from "../../functions/communicator/handler.ts";
import { handle as health } from "../../functions/dags-domain-health/handler.ts";
import { handle as critic } from "../../functions/critic/handler.ts";
import { alertAction } from "../../functions/intake/alert-action.ts";
import { handle as intake } from "../../functions/intake/handler.ts";
import { doorsOf } from "../../functions/intake/outside.ts";
import {
  handle as orchestrator,
  tick as orchestrate,
} from "../../functions/orchestrator/handler.ts";
import { handle as telegramWebhook } from "../../functions/telegram-webhook/handler.ts";
import { watched } from "../../functions/_edge/door.ts";
import { relayWorker } from "./relay.ts";
import type { Worker } from "./ticker.ts";
import type { Wiring } from "./wiring.ts";

export type Handler = (request: Request) => Promise<Response>;

const budget_ms = 8_000;
/** Of one pass in this process. Short, so that ctrl-C waits for a second and not for the whole backlog. */
const pass_ms = 1_000;

/** The edge functions by name, each as it runs when deployed. `nudge` is called when there may be something to do. */
export function functionsOf(wiring: Wiring, nudge: () => void): Map<string, Handler> {
  const { environment } = wiring;
  const handlers: Record<string, Handler> = {
    intake: (request) =>
      intake(request, {
        ...wiring,
        ...doorsOf(environment, fetch, wiring.database),
        tokens: environment.intakeTokens,
        alert_action: alertAction(wiring.policy),
        nudge,
      }),
    critic: (request) => critic(request, wiring),
    "telegram-webhook": (request) => webhook(wiring, request, nudge),
    orchestrator: (request) => orchestrator(request, { ...wiring, budget_ms }),
    communicator: (request) => communicator(request, communicatorDeps(wiring)),
    "dags-domain-health": (request) =>
      health(request, {
        ...wiring,
        mirror_configured: environment.mirrorShareId !== null,
        redis: wiring.redis && (() => wiring.redis!.check()),
      }),
  };
  return new Map(
    Object.entries(handlers).map(([name, handler]) => [name, watched(name, wiring, handler)]),
  );
}

const communicatorDeps = (wiring: Wiring) => ({
  ...wiring,
  chat_id: wiring.environment.telegram.chatId,
  budget_ms,
});

async function webhook(wiring: Wiring, request: Request, nudge: () => void): Promise<Response> {
  const { telegram } = wiring.channels;
  const response = await telegramWebhook(request, {
    ...wiring,
    secret: wiring.webhook_secret,
    username: () => telegram?.username() ?? Promise.resolve(null),
    channel: telegram === null ? "local-simulated" : "telegram",
  });
  if (response.ok) nudge();
  return response;
}

/** What keeps the line moving in this process. */
export const workersOf = (wiring: Wiring): Worker[] => [
  {
    name: "orchestrator",
    pass: async () => (await orchestrate({ ...wiring, budget_ms: pass_ms })).claimed,
    wakes: ["communicator"],
  },
  {
    name: "communicator",
    pass: async () => {
      const done = await communicate({ ...communicatorDeps(wiring), budget_ms: pass_ms });
      return done.notifications + done.effects;
    },
    wakes: ["orchestrator"],
  },
  ...(wiring.redis === null ? [] : [relayWorker(wiring, wiring.redis)]),
];
