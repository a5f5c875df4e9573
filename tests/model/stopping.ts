import {
  type Account,
  type Confirmation,
  type Grant,
  minute,
  type Outcome,
  type Scope,
  type Update,
  type World,
} from "./world.ts";
import { effectiveTier, releaseHeld } from "./approving.ts";
import { secondFactorProblem } from "./proofs.ts";

/** Stopping takes one person; resuming and breaking the glass take two, an owner among them. */

const leads = ({ role }: Account): boolean => role === "owner" || role === "operator";

/** A stop that cannot be read stands. */
export const isStopped = (world: World, scope: Scope): boolean => world.stops[scope] !== "running";
export const stopHolds = (world: World): boolean =>
  isStopped(world, "all") || effectiveTier(world) === "T3" && isStopped(world, "t3");

/** The grant that lets this task's one effect through, while both people are still who they were. */
export function liveGrant(world: World): Grant | null {
  return world.grants.find((grant) => {
    const [asker, confirmer] = [world.accounts[grant.asker], world.accounts[grant.confirmer]];
    const begun = world.effects.some(({ status }) => status !== "reserved");
    return !grant.voided && grant.expires > world.now && asker.active && confirmer.active &&
      !begun &&
      leads(asker) && leads(confirmer) && asker.person !== confirmer.person &&
      [asker.role, confirmer.role].includes("owner");
  }) ?? null;
}

export function stop(world: World, scope: Scope): Outcome {
  world.stops[scope] = "stopped";
  // Whoever stops now has not agreed to what was asked for or allowed before.
  for (const asked of world.confirmations) {
    if (asked.outcome === null && asked.expires > world.now) asked.outcome = "voided";
  }
  for (const grant of world.grants) if (grant.expires > world.now) grant.voided = true;
  return { status: "stopped" };
}

export const ended = ["archived", "failed", "rejected", "rolled_back", "cancelled"];

function glassProblem(world: World, person: number, simulated: boolean): string | null {
  if (simulated) return "local_decision";
  if (person === world.task.requester) return "self_approval";
  const invalid = ended.includes(world.task.status) || !stopHolds(world) ||
    liveGrant(world) !== null || world.effects.some(({ status }) => status !== "reserved");
  return invalid ? "break_glass_invalid" : null;
}

function ask(
  world: World,
  account: number,
  kind: Confirmation["kind"],
  scope: Scope | null,
): Outcome {
  for (const asked of world.confirmations) {
    if (asked.outcome === null && asked.kind === kind && asked.scope === scope) {
      asked.outcome = "voided";
    }
  }
  const { person, role } = world.accounts[account];
  const expires = world.now + 15 * minute;
  world.confirmations.push({ kind, scope, asker: account, person, role, expires, outcome: null });
  return { status: "confirmation" };
}

function confirmationProblem(world: World, asked: Confirmation, member: Account, update: Update) {
  const asker = world.accounts[asked.asker];
  if (member.person === asked.person) return "dual_control_violation";
  const twoOfThem = asker.active && asker.role === asked.role &&
    [asker.role, member.role].includes("owner");
  if (!twoOfThem) return "wrong_role";
  return asked.kind === "break_glass" ? glassProblem(world, member.person, update.simulated) : null;
}

function confirm(world: World, account: number, update: Update): Outcome {
  const { which, decision } = update.intent as Update["intent"] & { type: "confirm" };
  const member = world.accounts[account];
  const asked = which === null ? undefined : world.confirmations[which];
  const yes = decision === "approve";
  const refused = ((): string | null => {
    if (!leads(member)) return "wrong_role";
    const late = asked?.outcome === "expired" ||
      asked?.outcome === null && asked.expires <= world.now;
    if (late) return "confirmation_expired";
    if (asked === undefined || asked.outcome !== null) return "unknown_confirmation";
    if (!yes) return null;
    return confirmationProblem(world, asked, member, update) ??
      secondFactorProblem(world, member, "T3", update.proof);
  })();
  if (refused !== null) return { refused };
  asked!.outcome = yes ? "confirmed" : "declined";
  if (!yes) return { status: "declined" };
  if (asked!.kind === "resume") {
    world.stops[asked!.scope!] = "running";
    return { status: "resumed" };
  }
  for (const grant of world.grants) if (!grant.used) grant.voided = true;
  world.grants.push({
    asker: asked!.asker,
    confirmer: account,
    expires: world.now + 15 * minute,
    used: false,
    voided: false,
  });
  return { status: "break_glass_granted" };
}

function switchT3(world: World, account: number, update: Update): Outcome {
  const { on } = update.intent as Update["intent"] & { type: "t3" };
  const member = world.accounts[account];
  if (!leads(member) || on && member.role !== "owner") return { refused: "wrong_role" };
  const refused = on && !world.t3 ? secondFactorProblem(world, member, "T3", update.proof) : null;
  if (refused !== null) return { refused };
  const changes = world.t3 !== on;
  world.t3 = on;
  if (changes && on) releaseHeld(world);
  return { status: "t3" };
}

/** The commands of emergencies, as a member sends them. */
export function obey(world: World, account: number, update: Update): Outcome {
  const { intent } = update;
  const member = world.accounts[account];
  switch (intent.type) {
    case "stop":
      return leads(member) ? stop(world, intent.scope) : { refused: "wrong_role" };
    case "resume":
      if (!leads(member)) return { refused: "wrong_role" };
      if (!isStopped(world, intent.scope)) return { status: "not_stopped" };
      return ask(world, account, "resume", intent.scope);
    case "glass": {
      const refused = leads(member)
        ? glassProblem(world, member.person, update.simulated)
        : "wrong_role";
      return refused === null ? ask(world, account, "break_glass", null) : { refused };
    }
    case "confirm":
      return confirm(world, account, update);
    default:
      return switchT3(world, account, update);
  }
}

export function expireConfirmations(world: World): void {
  for (const asked of world.confirmations) {
    if (asked.outcome === null && asked.expires <= world.now) asked.outcome = "expired";
  }
}
