import type { Outcome, Update, World } from "./world.ts";
import { effectNode, people, policies, stranger } from "./house.ts";
import { decide, stepOf } from "./approving.ts";
import { sweep } from "./clock.ts";
import type { Command, Manner } from "./commands.ts";
import { confirm, reserve, settleEffect, start } from "./effects.ts";
import { stepAt } from "./proofs.ts";
import { obey, stop } from "./stopping.ts";
import { tamper } from "./tampering.ts";
import { claim, complete, fail, held, replan, underWay } from "./working.ts";

/**
 * The reference: what one command does to a world. Returns the next world and the answers that the house must give,
 * in order; null where the command means nothing here, and then it is not played.
 */
export function apply(
  before: World,
  command: Command,
): { world: World; answers: Outcome[] } | null {
  const world = structuredClone(before);
  world.now++;
  const answers = play(world, command);
  return answers === null ? null : { world, answers };
}

const one = (outcome: Outcome | null): Outcome[] | null => outcome === null ? null : [outcome];

function play(world: World, command: Command): Outcome[] | null {
  switch (command.do) {
    case "answer":
    case "say": {
      const update = write(world, command);
      if (update === null) return null;
      world.updates.push(update);
      return command.do === "answer" && command.later ? [] : [deliver(world, update)];
    }
    case "deliver": {
      const update = world.updates.at(-1 - command.which);
      return update === undefined ? null : [deliver(world, update)];
    }
    case "rework": {
      const answers: Outcome[] = [];
      for (let round = 0; round < 8; round++) {
        answers.push({ ...claim(world, "line"), of: "claim" });
        const steps = underWay(world);
        if (steps.length === 0) break;
        for (const { node } of steps) answers.push(completeNode(world, node, command));
      }
      return answers;
    }
    case "complete": {
      const [step] = underWay(world);
      return step === undefined ? null : [completeNode(world, step.node, command)];
    }
    case "claim":
      return [claim(world, command.what)];
    case "fail": {
      const lease = leaseFor(world, command.what, "newest");
      return lease === undefined ? null : [fail(world, held(world, lease), command.code)];
    }
    case "replan":
      return world.steps.length === 1 ? null : [replan(world)];
    case "reserve": {
      const lease = leaseFor(world, "effect", command.lease);
      return lease === undefined ? null : [reserve(world, lease, command)];
    }
    case "start":
    case "confirm": {
      const lease = leaseFor(world, "effect", command.lease);
      if (lease === undefined || world.effects.length === 0) return null;
      return [command.do === "start" ? start(world, lease) : confirm(world, lease, command.seen)];
    }
    case "settle":
      return world.effects.length === 0 ? null : [settleEffect(world, command.done)];
    case "wait":
      world.now += command.seconds * 1000;
      return [];
    case "sweep":
      return [sweep(world)];
    case "crash":
      world.now += 61_000;
      return [sweep(world)];
    case "tamper":
      return one(tamper(world, command.what));
    case "limit":
      world.positions = command.positions;
      return [{}];
    case "policy":
      world.policy = policies[command.which];
      return [{}];
    case "remove":
      return [remove(world, command.who)];
    case "add":
      return [add(world, command)];
    case "demote":
      return [remove(world, command.who), add(world, command)];
    case "enrol":
      return [enrol(world, command.who)];
    case "stop":
      return [stop(world, command.scope)];
    case "lose stop":
      world.stops[command.scope] = "lost";
      return [{}];
    case "t3 off":
      world.t3 = false;
      return [{}];
    case "trespass":
      return [{ status: "refused" }];
  }
}

function completeNode(
  world: World,
  node: string,
  work: Command & { do: "rework" | "complete" },
): Outcome {
  // Whatever was completed just before may have ended the task, and this step with it.
  const step = stepOf(world, node);
  const answer = step.status === "running"
    ? complete(world, step, work)
    : { refused: "stale_lease" };
  return { ...answer, of: node };
}

export function leaseFor(world: World, what: "line" | "effect", age: "newest" | "older") {
  const effect = effectNode(world.task);
  const leases = world.leases.filter(({ node }) => (node === effect) === (what === "effect"));
  return leases.at(age === "newest" ? -1 : -2);
}

export const accountOf = (world: World, telegram: string): number =>
  world.accounts.findIndex((one) => one.telegram === telegram && one.active);

/** A message as its sender writes it and the door signs it; null where there is nothing to write about. */
function write(world: World, command: Command & { do: "answer" | "say" }): Update | null {
  const from = people[command.who]?.telegram ?? stranger;
  const index = accountOf(world, from);
  const account = world.accounts[index];
  const update = (intent: Update["intent"]): Update => ({
    applied: false,
    from,
    ownChat: command.ownChat,
    simulated: command.simulated,
    bundle: command.bundle,
    proof: proofOf(world, command),
    intent,
  });
  if (command.do === "say") {
    const { what } = command;
    if (what.type !== "confirm") return update(what);
    const which = world.confirmations.length - (what.older ? 2 : 1);
    return update({ type: "confirm", which: which < 0 ? null : which, decision: what.decision });
  }
  const { decision, sign, target } = command;
  const last = world.requests.length - 1;
  const place = target === "oldest"
    ? 0
    : target === "task" && last >= 0
    ? world.requests.findLastIndex(({ status }) => status !== "superseded")
    : last;
  const request = world.requests[place];
  const signs = sign !== "none" && account !== undefined && request !== undefined &&
    target !== "unknown";
  return update({
    type: "answer",
    request: target === "task" || target === "unknown" ? target : request ? place : "unknown",
    decision,
    signed: !signs ? null : {
      request: place,
      person: account.person,
      role: account.role,
      decision,
      digest: sign === "another digest" ? "another" : request.digest,
      at: world.now - (sign === "late" ? 31_000 : 0),
      known: sign !== "unknown key",
    },
  });
}

function proofOf(world: World, { code }: Manner): Update["proof"] {
  const now = stepAt(world.now);
  return code === "none"
    ? null
    : { valid: code !== "wrong", step: code === "next" ? now + 1 : now };
}

/** An update counts once, whatever comes between its copies. */
function deliver(world: World, update: Update): Outcome {
  if (update.applied) return { status: "duplicate" };
  update.applied = true;
  if (!update.ownChat) return { refused: "sender_not_personal" };
  const account = accountOf(world, update.from);
  if (account < 0) return { refused: "not_a_member" };
  if (update.intent.type === "answer") return decide(world, account, update);
  if (update.intent.type === "resolve") return resolve(world, account, update.intent.done);
  return obey(world, account, update);
}

function resolve(world: World, account: number, done: boolean): Outcome {
  const { role, person } = world.accounts[account];
  if (role === "reviewer") return { refused: "wrong_role" };
  if (world.effects.length === 0) return { refused: "not_found" };
  if (person === world.task.requester) return { refused: "self_approval" };
  return settleEffect(world, done);
}

function remove(world: World, who: number): Outcome {
  const account = world.accounts[accountOf(world, people[who].telegram)];
  if (account === undefined) return { refused: "not_found" };
  const owners = world.accounts.filter(({ active, role }) => active && role === "owner");
  if (account.role === "owner" && owners.length === 1) return { refused: "last_owner" };
  account.active = false;
  return { status: "removed" };
}

function add(world: World, { who, role }: Command & { do: "add" | "demote" }): Outcome {
  const { name, telegram, person } = people[who];
  if (accountOf(world, telegram) >= 0) return { refused: "duplicate_member" };
  const factor = { enrolled: false, lastStep: 0, wrong: [] };
  world.accounts.push({ name, telegram, person, role, active: true, factor });
  return { status: "active" };
}

function enrol(world: World, who: number): Outcome {
  const account = world.accounts[accountOf(world, people[who].telegram)];
  if (account === undefined) return { refused: "not_found" };
  account.factor.enrolled = true;
  account.factor.wrong = [];
  return { status: "active" };
}
