import { createHash } from "node:crypto";
import type { Outcome, Step, World } from "./world.ts";
import {
  effectNode,
  flows,
  postText,
  proposalText,
  rehearsalText,
  scoreOf,
  totalOf,
} from "./house.ts";
import { ask, effectiveTier, effectNotBegun, isOpen, newest, stepOf } from "./approving.ts";
import { markUnknown } from "./effects.ts";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The line: who may work on what, what becomes ready when it is done, and how it ends. */

export const unfinished = ["pending", "ready", "running", "awaiting_approval"];

export function endTask(world: World, status: string, reason: string): void {
  for (const step of world.steps) {
    if (unfinished.includes(step.status)) {
      Object.assign(step, { status: "cancelled", leaseUntil: null });
    }
  }
  for (const effect of world.effects) if (effect.status === "reserved") effect.status = "failed";
  for (const request of world.requests) if (isOpen(request)) request.status = "superseded";
  Object.assign(world.task, { status, reason });
}

export function finish(step: Step): void {
  Object.assign(step, { status: "done", leaseUntil: null });
}

/** What waited for this step waits for one less; what waits for nobody is ready, and people are asked. */
export function advance(world: World, node: string): void {
  for (const step of world.steps) {
    if (step.status !== "pending" || !step.waits.includes(node)) continue;
    step.parents--;
    step.runAt = world.now;
    if (step.parents > 0) continue;
    step.status = "ready";
    if (step.agent === "human") ask(world);
  }
}

const works = (what: "line" | "effect", world: World) => ({ node, agent }: Step) =>
  agent !== "human" && (node === effectNode(world.task)) === (what === "effect");

export function claim(world: World, what: "line" | "effect"): Outcome {
  const taken = world.steps.filter(works(what, world))
    .filter(({ status, runAt }) => status === "ready" && runAt <= world.now);
  for (const step of taken) {
    if (world.task.status === "planned") world.task.status = "running";
    step.status = "running";
    step.attempt++;
    step.leaseUntil = world.now + 30_000;
    world.leases.push({ node: step.node, attempt: step.attempt });
  }
  return { status: taken.map(({ node }) => node).sort().join() };
}

/** The step that this lease still holds. Whoever's lease ran out holds it until somebody takes it away. */
export function held(
  world: World,
  lease: { node: string; attempt: number } | undefined,
): Step | null {
  const step = world.steps.find(({ node }) => node === lease?.node);
  return step?.status === "running" && step.attempt === lease?.attempt ? step : null;
}

/** The running steps of the line, in the order of the flow. */
export const underWay = (world: World): Step[] =>
  world.steps.filter((step) => step.status === "running" && works("line", world)(step));

export interface Work {
  text: number;
  marks: number;
  rehearsed: boolean;
}

/** One step's result, stored; what it makes ready follows. */
export function complete(world: World, step: Step, work: Work): Outcome {
  const { kind } = world.task;
  const store = (type: string, text: string) =>
    world.artifacts.push({ node: step.node, type, text, stored: text });
  if (step.node === "plan") return plan(world, step);
  if (step.node === "archive") return archive(world, step);
  if (step.node === "critic") {
    const artifact = world.artifacts.findLastIndex((one) =>
      one.node === "act" && one.type !== "post"
    );
    const { text, stored } = world.artifacts[artifact];
    // The mark is for the bytes that are stored, not for those that somebody once read.
    if (text !== stored) return { refused: "digest_drift" };
    const score = scoreOf(work.marks);
    world.evaluations.push({
      artifact,
      read: text,
      rubric: `marks ${work.marks}`,
      score,
      critic: "critic",
    });
    finish(step);
    if (totalOf(work.marks) < 7 || Number(score) < world.policy.score[effectiveTier(world)]) {
      endTask(world, "rejected", "critic_rejected");
      return { status: "done" };
    }
  } else if (step.node === "act") {
    store(kind === "signal" ? "idea" : "proposal", proposalText(kind, work.text));
    if (kind === "signal") store("post", postText(work.text));
  } else if (step.node === "dry_run") {
    const subject = newest(world, "act", "proposal")!.stored;
    store("dry_run", rehearsalText(sha256(work.rehearsed ? subject : "other bytes")));
  }
  finish(step);
  advance(world, step.node);
  return { status: "done" };
}

function plan(world: World, step: Step): Outcome {
  const { task } = world;
  world.steps.push(
    ...flows[task.kind].nodes.slice(1).map(([node, agent, waits]) => ({
      node,
      agent,
      waits,
      status: "pending",
      parents: waits.length,
      attempt: 0,
      failures: 0,
      runAt: world.now,
      leaseUntil: null,
    })),
  );
  task.status = "planned";
  const own = world.policy.tiers[task.action];
  const gate = task.kind === "signal" ? "T2" : "T3";
  task.tier = own > gate ? own : gate;
  finish(step);
  advance(world, "plan");
  return { status: "planned" };
}

function archive(world: World, step: Step): Outcome {
  finish(step);
  Object.assign(world.task, { status: "archived", reason: null });
  return { status: "archived" };
}

/** A worker gives its step back: another attempt after a pause, three in all, or the end of the task. */
export function fail(world: World, step: Step | null, code: string): Outcome {
  if (step === null) return { refused: "stale_lease" };
  if (
    world.effects.some(({ status }) => status === "sent") && step.node === effectNode(world.task)
  ) {
    markUnknown(world);
    return { status: "stale" };
  }
  const again = code === "stopped" || code === "unavailable" && step.failures < 2;
  if (again) {
    if (code === "unavailable") step.failures++;
    Object.assign(step, { status: "ready", runAt: world.now + 5000, leaseUntil: null });
    return { status: "ready" };
  }
  Object.assign(step, { status: "failed", leaseUntil: null });
  endTask(world, code === "insufficient_data" ? "rejected" : "failed", code);
  return { status: "failed" };
}

/** Everything between the plan and the archive is done anew; nothing that somebody holds now survives it. */
export function replan(world: World): Outcome {
  const { task, steps } = world;
  const may = ["running", "awaiting_approval", "pending_exec"].includes(task.status) &&
    effectNotBegun(world) && world.requests.some(isOpen);
  if (!may) return { refused: "illegal_transition" };
  for (const step of steps) {
    if (step.agent === "planner" || step.agent === "orchestrator") continue;
    step.parents = step.waits.filter((node) => stepOf(world, node).agent !== "planner").length;
    Object.assign(step, {
      status: step.parents === 0 ? "ready" : "pending",
      runAt: world.now,
      leaseUntil: null,
    });
  }
  Object.assign(task, { status: "running", reason: null });
  return { status: "running" };
}
