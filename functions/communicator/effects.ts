import { confirmEffect } from "../_database/confirm-effect.ts";
import type { Database } from "../_database/database.ts";
import type { Heartbeat } from "../_database/heartbeat.ts";
import { holdLease, returnSteps } from "../_database/leases.ts";
import { isTrouble } from "../_database/trouble.ts";
import { composePost } from "../_agents/communicator.ts";
import { type Leave, outcomeOfDelivery, withLeave } from "../_domain/breaker.ts";
import type { MessageChannel } from "../_domain/notification.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";
import { type AccessDeps, grantAccess, isAccess } from "./access-effect.ts";
import { errorOf, fail, giveBack, lease, outcomeOf } from "./step-outcome.ts";

export interface EffectDeps
  extends Pick<AccessDeps, "membership" | "vip_chat_id" | "refresh_quote" | "breakers"> {
  database: Database;
  channels: { telegram: MessageChannel | null; console: MessageChannel };
  /** Where posts go: TELEGRAM_CHAT_ID. Without it, or without a bot, they are printed. */
  chat_id: string | null;
  worker: string;
  now: () => Date;
  /** The policy this process was built with; null refuses every reservation. */
  policy_sha256: string | null;
  heartbeat?: Heartbeat;
}

const batch = 4;

interface Answer {
  refused?: string;
  reason?: string;
  effect_id?: string;
  status?: string;
  /** Of an effect that was reserved before: what it says counts, not what this worker composed. */
  payload?: { text: string };
}

/** Where the step's effect goes. T0 and T1 need nobody outside: their result is recorded, and that is all. */
function destination(deps: EffectDeps, work: StepWork) {
  const { telegram, console } = deps.channels;
  const tier = work.task.risk_tier;
  if (tier === "T0" || tier === "T1") {
    return { kind: "record", channel: console, name: "internal", chat_id: work.task_id };
  }
  return telegram !== null && deps.chat_id !== null
    ? { kind: "publish", channel: telegram, name: telegram.name, chat_id: deps.chat_id }
    : { kind: "publish", channel: console, name: console.name, chat_id: "console" };
}

/**
 * Reserve, start, send, confirm. The reservation recomputes the approved digest; the start is committed before the
 * first byte goes out, so whoever finds a started effect without a confirmation knows that it may have happened
 * and does not repeat it.
 */
async function publish(deps: EffectDeps, work: StepWork): Promise<void> {
  const where = destination(deps, work);
  if (where.channel.name !== "telegram") return void await send(deps, work, where, null);
  // A Telegram that does not answer is found before an approval is used up.
  await withLeave(deps.breakers, "telegram.post", (leave) => send(deps, work, where, leave));
}

/** Whether the channel was asked: what it said is then told to its breaker. */
async function send(
  deps: EffectDeps,
  work: StepWork,
  { kind, channel, name, chat_id }: ReturnType<typeof destination>,
  leave: Leave | null,
): Promise<boolean> {
  const post = composePost(work);
  if (leave !== null && !await mayPost(deps)) {
    throw new Refusal("rate_limited", "telegram.post is used up for now");
  }
  const reserved = await deps.database.call<Answer>("reserve_effect", {
    ...lease(work),
    p_kind: kind,
    p_channel: name,
    p_destination: chat_id,
    p_payload: { text: post.text },
    p_policy_sha256: deps.policy_sha256,
  });
  if (reserved.refused) {
    await giveBack(deps.database, work, reserved);
    return false;
  }
  // What is recorded internally is confirmed with the reservation.
  if (reserved.status !== "reserved") return false;
  const fence = {
    p_effect_id: reserved.effect_id,
    p_attempt: work.attempt,
    p_lease_token: work.lease_token,
  };
  // Refused: another worker has taken over; it sends, or it has found that this one was too slow.
  if ((await deps.database.call<Answer>("start_effect", fence)).refused) return false;
  const delivery = await channel.send({ chat_id, text: reserved.payload?.text ?? post.text });
  const outcome = outcomeOf(delivery, (message_id) => ({ message_id }));
  await confirmEffect(deps.database, { ...fence, ...outcome });
  if (leave) await deps.breakers.report(leave, outcomeOfDelivery(delivery), errorOf(delivery));
  return true;
}

/** What leaves the house is counted with everybody else's; what waits for a token has reserved nothing yet. */
async function mayPost({ database }: EffectDeps): Promise<boolean> {
  const p_tool = "telegram.post";
  return (await database.call<{ granted?: boolean }>("take_tool_token", { p_tool })).granted ===
    true;
}

/** Claims the communicator's steps and carries them out. Returns how many were claimed. */
export async function publishEffects(
  deps: EffectDeps,
  hasTime: () => boolean,
): Promise<number> {
  const claimed = await deps.database.call<StepWork[]>("claim_steps", {
    p_worker: deps.worker,
    p_limit: batch,
    p_agents: ["communicator"],
  });
  const releases = claimed.map((work) => holdLease(deps.database, work));
  try {
    for (const [i, work] of claimed.entries()) {
      // What is not begun in time goes back, for whoever has some.
      if (!hasTime()) {
        await returnSteps(deps.database, claimed.slice(i), "its worker had no time left");
        break;
      }
      await carryOut(deps, work);
    }
  } finally {
    for (const release of releases) release();
  }
  return claimed.length;
}

async function carryOut(deps: EffectDeps, work: StepWork): Promise<void> {
  deps.heartbeat?.began(work);
  try {
    await (isAccess(work) ? grantAccess(deps, work) : publish(deps, work));
    deps.heartbeat?.ended(work, null);
  } catch (error) {
    deps.heartbeat?.ended(work, error instanceof Refusal ? error.code : "internal");
    // A database that was away is no failure of the step: it goes back, unless its effect has left.
    if (isTrouble(error)) {
      await returnSteps(deps.database, [work], "the database was away");
      return;
    }
    if (!(error instanceof Refusal)) throw error;
    await fail(deps.database, work, error.code, error.detail, error.about);
  }
}
