import type { RefusalCode } from "../_domain/refusal.ts";
import { admit, serviceCaller } from "../_edge/door.ts";
import { pathBelow } from "../_edge/path.ts";
import { refuse, respond } from "../_edge/respond.ts";
import { deliverNotifications, type NotificationDeps } from "./notifications.ts";
import { type EffectDeps, publishEffects } from "./effects.ts";

const defaultBudgetMs = 8_000;
/** A tick that always finds work ends all the same; the next one goes on. */
const maxRounds = 50;

export interface CommunicatorDeps extends NotificationDeps, EffectDeps {
  service_token: string;
  budget_ms?: number;
  /** Why this process may not work with the policy that it carries, or null; people are told things all the same. */
  bundle: () => Promise<RefusalCode | null>;
}

/**
 * Drains the outbox: what people are to be told, then what is to be published, until there is nothing left or the
 * time is used up. Neither waits behind the other's backlog: the first has half of what is left. Two ticks at once
 * share the work, since each row is claimed by one of them.
 */
export async function tick(deps: Omit<CommunicatorDeps, "service_token">): Promise<
  { notifications: number; effects: number }
> {
  const rest = await deps.heartbeat?.keep();
  try {
    return await drain(deps);
  } finally {
    rest?.();
  }
}

async function drain(deps: Omit<CommunicatorDeps, "service_token">) {
  const now = () => deps.now().getTime();
  const deadline = now() + (deps.budget_ms ?? defaultBudgetMs);
  const hasTime = () => now() < deadline;
  const done = { notifications: 0, effects: 0 };
  for (let round = 0; round < maxRounds && hasTime(); round++) {
    const half = (now() + deadline) / 2;
    const notifications = await deliverNotifications(deps, () => now() < half);
    const effects = hasTime() && await deps.bundle() === null
      ? await publishEffects(deps, hasTime)
      : 0;
    done.notifications += notifications;
    done.effects += effects;
    if (notifications + effects === 0) break;
  }
  return done;
}

export async function handle(request: Request, deps: CommunicatorDeps): Promise<Response> {
  if (pathBelow(request, "communicator")?.join("/") !== "tick") return refuse("not_found");
  const visit = await admit(request, {
    method: "POST",
    caller: serviceCaller(deps.service_token),
    maxBytes: 1024,
  });
  if (visit instanceof Response) return visit;
  return respond(await tick(deps));
}
