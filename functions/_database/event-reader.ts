import { eventBatch, eventPosition, type EventReader } from "../_domain/bus-event.ts";
import { isRefusalCode, Refusal } from "../_domain/refusal.ts";
import type { Database } from "./database.ts";

interface Answer {
  refused?: string;
  reason?: string;
  position?: string;
}

function unlessRefused<T extends Answer>(answer: T): T {
  if (answer.refused === undefined) return answer;
  throw new Refusal(isRefusalCode(answer.refused) ? answer.refused : "internal", answer.reason);
}

export const eventReader = (
  database: Pick<Database, "call">,
  consumer: string,
): EventReader => ({
  async read(limit) {
    return eventBatch.parse(
      unlessRefused(
        await database.call<Answer>("read_events", { p_consumer: consumer, p_limit: limit }),
      ),
    );
  },
  async answer(lease_token, handled) {
    const answer = await database.call<Answer>("ack_events", {
      p_consumer: consumer,
      p_lease_token: lease_token,
      p_handled: handled,
    });
    // Somebody else has the batch by now, and answers for it.
    if (answer.refused === "stale_lease") return false;
    unlessRefused(answer);
    return true;
  },
  async rewind(to) {
    const { position } = unlessRefused(
      await database.call<Answer>("rewind_consumer", {
        p_consumer: consumer,
        p_position: "position" in to ? to.position : null,
        p_back: "back" in to ? to.back : null,
        p_actor: consumer,
      }),
    );
    return eventPosition.parse(position);
  },
});
