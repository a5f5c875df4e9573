import { Sentence } from "../stack/sentence.ts";
import { actor, ask, unlessRefused } from "./holder.ts";

const outcomes: Record<string, string> = { done: "confirmed", "not-done": "failed" };
const effectId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A person's word on an effect whose outcome nobody saw. Nothing else ends `unknown`, and nothing retries it. */
export async function settle(
  effect: string,
  outcome: string,
  reason: string[],
  options: { json?: boolean },
): Promise<void> {
  if (!effectId.test(effect) || !Object.hasOwn(outcomes, outcome) || reason.length === 0) {
    throw new Sentence(
      "Write: settle <effect id> done|not-done <what you saw>; `audit unknown_effects` lists them.",
    );
  }
  const settled = unlessRefused(
    await ask<{ status: string; task_id: string; task_status: string }>("administer", {
      name: "settle_effect",
      args: {
        p_effect_id: effect,
        p_outcome: outcomes[outcome],
        p_reason: reason.join(" "),
        p_actor: actor(),
      },
    }),
  );
  console.log(
    options.json
      ? JSON.stringify(settled)
      : `The effect is ${settled.status}; task ${settled.task_id} is ${settled.task_status}.`,
  );
}
