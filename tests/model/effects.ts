import type { Outcome, Request, World } from "./world.ts";
import { effectNode } from "./house.ts";
import {
  altered,
  ask,
  drifted,
  dryRunProblem,
  effectiveTier,
  evaluated,
  gating,
  newest,
  proposed,
  slotsFilled,
  stepOf,
} from "./approving.ts";
import { advance, endTask, finish, held } from "./working.ts";
import { liveGrant, stopHolds } from "./stopping.ts";

/** The one thing a task does outside: every gate before it is reserved, and again before it leaves. */

export interface Sending {
  /** "approved" is what people saw, "other" what a wrong worker would send. */
  payload: "approved" | "other";
  /** Whether the effect is done by rows of this database, or by somebody outside. */
  inside: boolean;
  bundle: "active" | "other";
}

export const channelOf = (world: World, inside: boolean): string =>
  world.task.kind === "signal" ? inside ? "console" : "telegram" : inside ? "paper" : "http-bridge";

/** The payload that a right worker sends now. */
export function approvedPayload(world: World): unknown {
  return world.task.kind === "signal"
    ? { text: newest(world, "act", "post")?.text ?? "" }
    : proposed(world, "order") ?? {};
}
export const payloadOf = (world: World, payload: Sending["payload"]): unknown =>
  payload === "approved" ? approvedPayload(world) : { text: "all in" };

function approvalProblem(
  world: World,
  request: Request | undefined,
  channel: string,
): string | null {
  if (request === undefined) return "approval_missing";
  if (request.expires <= world.now) return "request_expired";
  if (drifted(world, request)) return "digest_drift";
  if (!slotsFilled(world, request)) return "approval_missing";
  if (world.task.tier === "T3" && !world.t3) return "t3_execution_disabled";
  const inHouse = channel === "console" || channel === "paper";
  return !inHouse && request.approvals.some(({ simulated }) => simulated) ? "local_decision" : null;
}

function effectProblem(
  world: World,
  request: Request | undefined,
  kind: string,
  channel: string,
  payload: string,
): string | null {
  const { task, policy } = world;
  const tier = effectiveTier(world);
  if (stopHolds(world) && liveGrant(world) === null) return "stopped";
  if (gating(world) === undefined) return "evaluation_missing";
  if (Number(gating(world)!.score) < policy.score[tier]) return "critic_rejected";
  const problem = approvalProblem(world, request, channel);
  if (problem !== null) return problem;
  if (altered(world)) return "digest_drift";
  if (tier === "T3" && dryRunProblem(world) !== null) return dryRunProblem(world);
  const expected = kind === "publish"
    ? { text: newest(world, evaluated(world)!.node, "post")?.text }
    : proposed(world, "order");
  return task.kind && payload === JSON.stringify(expected) ? null : "digest_drift";
}

export function reserve(world: World, lease: World["leases"][number], how: Sending): Outcome {
  const { task } = world;
  const step = held(world, lease);
  if (step === null) return { refused: "stale_lease" };
  // Before what a dead worker left: a process with another policy does not go on with it either.
  if (how.bundle !== "active") return { refused: "policy_not_active" };
  const kind = task.kind === "signal" ? "publish" : "trade";
  const channel = channelOf(world, how.inside);
  const existing = world.effects.at(-1);
  if (existing?.status === "reserved") {
    // Nothing has left the house: it goes on, and a post goes where the worker of now would send it.
    if (kind === "publish") existing.channel = channel;
    return { status: "reserved" };
  }
  if (existing !== undefined) return { refused: "effect_exists" };
  const request = world.requests.find(({ status }) => status === "approved");
  const payload = JSON.stringify(payloadOf(world, how.payload));
  const problem = effectProblem(world, request, kind, channel, payload);
  if (problem !== null) {
    const anew = ["digest_drift", "approval_missing"].includes(problem) &&
      approvalProblem(world, request, channel) === problem;
    if (anew && request !== undefined) askAnew(world, request);
    return { refused: problem };
  }
  request!.status = "consumed";
  task.status = "publishing";
  world.effects.push({
    status: "reserved",
    attempt: 0,
    request: world.requests.indexOf(request!),
    kind,
    channel,
    payload,
  });
  takeGrant(world);
  if (channel === "paper") closeEffect(world, "confirmed");
  return { status: world.effects.at(-1)!.status };
}

/** What was approved is no longer what would be done: the yes lapses and the effect waits for people again. */
function askAnew(world: World, request: Request): void {
  request.status = "superseded";
  Object.assign(stepOf(world, effectNode(world.task)), {
    status: "pending",
    parents: 1,
    leaseUntil: null,
  });
  ask(world);
}

/** A stop that would have refused lets one effect through for the grant that is then used up. */
function takeGrant(world: World): void {
  const grant = liveGrant(world);
  if (stopHolds(world) && grant !== null) grant.used = true;
}

export function start(world: World, lease: World["leases"][number]): Outcome {
  const step = held(world, lease);
  const effect = world.effects.at(-1)!;
  if (step === null || effect.status !== "reserved") return { refused: "stale_lease" };
  const { kind, channel, payload } = effect;
  const problem = effectProblem(world, world.requests[effect.request], kind, channel, payload);
  if (problem === "stopped" || problem === "t3_execution_disabled") {
    Object.assign(step, { status: "ready", runAt: world.now + 5000, leaseUntil: null });
    return { refused: problem };
  }
  if (problem !== null) {
    endTask(world, "rejected", problem);
    return { refused: problem };
  }
  takeGrant(world);
  effect.status = "sent";
  effect.attempt++;
  step.leaseUntil = world.now + 60_000;
  return { status: "sent" };
}

function closeEffect(world: World, status: string): void {
  const step = stepOf(world, effectNode(world.task));
  world.effects.at(-1)!.status = status;
  if (status !== "confirmed") return;
  finish(step);
  advance(world, step.node);
}

export function markUnknown(world: World): void {
  closeEffect(world, "unknown");
  Object.assign(stepOf(world, effectNode(world.task)), { status: "stale", leaseUntil: null });
  Object.assign(world.task, { status: "paused", reason: "effect_unknown" });
}

export type Seen = "confirmed" | "failed" | "not_sent" | "unknown";

export function confirm(world: World, lease: World["leases"][number], seen: Seen): Outcome {
  const step = held(world, lease);
  const effect = world.effects.at(-1)!;
  if (step === null || effect.status !== "sent") return { refused: "stale_lease" };
  if (seen === "confirmed") closeEffect(world, seen);
  else if (seen === "unknown") markUnknown(world);
  else if (seen === "failed") {
    closeEffect(world, seen);
    Object.assign(step, { status: "failed", leaseUntil: null });
    endTask(world, "failed", "unavailable");
  } else {
    effect.status = "reserved";
    Object.assign(step, { status: "ready", runAt: world.now + 3000, leaseUntil: null });
  }
  return { status: effect.status };
}

/** A person's word on what nobody saw. */
export function settleEffect(world: World, done: boolean): Outcome {
  const effect = world.effects.at(-1);
  if (effect === undefined) return { refused: "not_found" };
  if (effect.status !== "unknown") return { refused: "illegal_transition" };
  if (done) {
    Object.assign(world.task, { status: "publishing", reason: null });
    closeEffect(world, "confirmed");
    return { status: "confirmed" };
  }
  stepOf(world, effectNode(world.task)).status = "failed";
  effect.status = "failed";
  endTask(world, "failed", "effect_unknown");
  return { status: "failed" };
}
