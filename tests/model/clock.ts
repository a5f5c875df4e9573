import type { Outcome, World } from "./world.ts";
import { effectNode } from "./house.ts";
import { expire, isOpen } from "./approving.ts";
import { markUnknown } from "./effects.ts";
import { expireConfirmations } from "./stopping.ts";
import { endTask } from "./working.ts";

/** What happens by the clock alone: questions that nobody answered lapse, and leases that nobody renewed are taken away. */
export function sweep(world: World): Outcome {
  const { due, now } = world;
  if (now >= due.confirmations) {
    due.confirmations = now + 60_000;
    expireConfirmations(world);
  }
  if (now < due.work) return {};
  due.work = now + 5000;
  const late = world.requests.find((one) => isOpen(one) && one.expires <= now);
  if (late) expire(world, late);
  for (const step of world.steps) {
    if (step.status !== "running" || step.leaseUntil! >= now) continue;
    const sent = world.effects.some(({ status }) => status === "sent");
    if (sent && step.node === effectNode(world.task)) markUnknown(world);
    else if (step.failures >= 2) {
      Object.assign(step, { status: "failed", leaseUntil: null });
      endTask(world, "failed", "internal");
    } else {
      step.failures++;
      Object.assign(step, { status: "ready", runAt: now, leaseUntil: null });
    }
  }
  return {};
}
