import type { Database } from "../_database/database.ts";
import { mask } from "../_domain/mask.ts";
import type { Delivery } from "../_domain/notification.ts";
import { type About, isRefusalCode, refusals } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";

/** When a refusal that may pass by itself is worth another look; any other waits as the database says. */
const pauseSeconds: Record<string, number> = { no_channel: 300, cool_down: 60, quote_stale: 15 };

export const lease = (work: StepWork) => ({
  p_step_id: work.step_id,
  p_attempt: work.attempt,
  p_lease_token: work.lease_token,
});

/** Gives a step back with a code and a sentence, which says nothing that `mask` would hide. */
export async function fail(
  database: Database,
  work: StepWork,
  code: string,
  error: string,
  { tool, retry_after }: About = {},
): Promise<void> {
  const pause = retry_after ??
    (Object.hasOwn(pauseSeconds, code) ? pauseSeconds[code] : undefined);
  await database.call("fail_step", {
    ...lease(work),
    p_code: code,
    p_error: mask(error).slice(0, 500),
    ...(pause === undefined ? {} : { p_retry_after: pause }),
    ...(tool === undefined ? {} : { p_tool: tool }),
  });
}

/** Gives a step back because its effect was not reserved. Whose lease is over has nothing to give back. */
export async function giveBack(
  database: Database,
  work: StepWork,
  { refused = "internal", reason }: { refused?: string; reason?: string },
): Promise<void> {
  if (refused === "stale_lease") return;
  const meaning = isRefusalCode(refused) ? refusals[refused].meaning : refused;
  await fail(database, work, refused, reason ?? meaning);
}

/** What `confirm_effect` writes down of a call to Telegram: an outcome that was not seen stays unknown and goes to a person. */
export function outcomeOf(delivery: Delivery, receipt: (id: string) => Record<string, string>) {
  switch (delivery.outcome) {
    case "sent":
      return { p_outcome: "confirmed", p_receipt: receipt(delivery.message_id) };
    case "retry":
      return {
        p_outcome: "not_sent",
        p_receipt: { retry_after: delivery.retry_after, error: delivery.error },
      };
    case "unknown":
      return { p_outcome: "unknown", p_receipt: { error: delivery.error } };
    case "blocked":
    case "failed":
      return { p_outcome: "failed", p_receipt: { error: delivery.error } };
  }
}

export const errorOf = (delivery: Delivery): string | undefined =>
  delivery.outcome === "sent" ? undefined : delivery.error;
