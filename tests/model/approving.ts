import {
  type Approval,
  type Artifact,
  type Evaluation,
  minute,
  type Outcome,
  type Request,
  type Step,
  type Update,
  type World,
} from "./world.ts";
import { effectNode, flows } from "./house.ts";
import { secondFactorProblem, signatureProblem } from "./proofs.ts";
import { advance, endTask, sha256 } from "./working.ts";

/** What people are asked, what they may answer, and when their answers count. */

export const isOpen = ({ status }: { status: string }): boolean =>
  status === "open" || status === "approved";
export const stepOf = (world: World, node: string): Step =>
  world.steps.find((step) => step.node === node)!;

export const effectiveTier = (world: World): string => {
  const own = world.policy.tiers[world.task.action] ?? "T3";
  return own > world.task.tier ? own : world.task.tier;
};

/** Of work that was done twice the newest counts. */
export function newest(world: World, node: string, type: string): Artifact | undefined {
  return world.artifacts.findLast((one) => one.node === node && one.type === type);
}

const jsonMember = (text: string | undefined, name: string): unknown => {
  try {
    return JSON.parse(text ?? "")?.[name];
  } catch {
    return undefined;
  }
};

export const gating = (world: World): Evaluation | undefined => world.evaluations.at(-1);
export const evaluated = (world: World): Artifact | undefined =>
  world.artifacts[gating(world)?.artifact ?? -1];
export const proposed = (world: World, member: string): unknown =>
  evaluated(world)?.type === "proposal"
    ? jsonMember(evaluated(world)?.text, member) ?? null
    : undefined;

/** Everything that a yes is bound to. */
export function digest(world: World, expires: number): string {
  const { task, policy } = world;
  const evaluation = gating(world);
  const node = evaluated(world)?.node ?? "";
  const types = [...new Set(world.artifacts.filter((a) => a.node === node).map((a) => a.type))];
  const order = proposed(world, "order") as { account_id?: string } | null | undefined;
  return JSON.stringify({
    tenant: task.tenant,
    action: task.action,
    tier: task.tier,
    inputs: task.goal,
    artifacts: types.sort().map((type) => [type, newest(world, node, type)?.text]),
    rubric: evaluation?.rubric,
    score: evaluation?.score,
    critic: evaluation?.critic,
    dry_run: newest(world, "dry_run", "dry_run")?.text,
    limits: task.action === "TRADE" && order?.account_id === "paper-1" ? world.positions : null,
    policy: policy.label,
    roles: policy.slots[effectiveTier(world)],
    expires,
  });
}

export function dryRunProblem(world: World): string | null {
  const run = newest(world, "dry_run", "dry_run");
  if (run === undefined) return "dry_run_missing";
  if (run.text !== run.stored) return "digest_drift";
  const read = gating(world)?.read ?? "";
  return jsonMember(run.text, "subject_sha256") === sha256(read) ? null : "dry_run_missing";
}

/** Whether bytes are no longer those that were stored, or those that the critic read. */
export function altered(world: World): boolean {
  const one = evaluated(world);
  return one === undefined || one.text !== gating(world)?.read ||
    world.artifacts.some((other) => other.node === one.node && other.text !== other.stored);
}

export function askingProblem(world: World): string | null {
  const tier = effectiveTier(world);
  const evaluation = gating(world);
  if (evaluation === undefined) return "evaluation_missing";
  if (Number(evaluation.score) < world.policy.score[tier]) return "critic_rejected";
  if (altered(world)) return "digest_drift";
  return tier === "T3" ? dryRunProblem(world) : null;
}

export function ask(world: World): void {
  const { task } = world;
  task.tier = effectiveTier(world);
  const problem = askingProblem(world);
  if (problem !== null) return endTask(world, "rejected", problem);
  const expires = task.created + flows[task.kind].minutes * minute;
  if (expires <= world.now) return endTask(world, "rejected", "request_expired");
  const slots = world.policy.slots[task.tier];
  const bound = digest(world, expires);
  const step = stepOf(world, "approve");
  const kept = world.requests.find(isOpen);
  if (kept && (kept.digest !== bound || kept.slots.join() !== slots.join())) {
    kept.status = "superseded";
  }
  step.status = task.status = "awaiting_approval";
  // Work that was done anew with the same result keeps its answers.
  if (kept?.status === "approved") return settle(world, kept);
  if (kept?.status === "open") return;
  world.requests.push({
    status: "open",
    tier: task.tier,
    slots,
    digest: bound,
    expires,
    approvals: [],
  });
}

/** Everyone asked said yes. */
function settle(world: World, request: Request): void {
  stepOf(world, "approve").status = "done";
  if (request.tier === "T3" && !world.t3) {
    Object.assign(world.task, { status: "pending_exec", reason: "t3_execution_disabled" });
    return;
  }
  world.task.status = "running";
  advance(world, "approve");
}

export function releaseHeld(world: World): void {
  const { task } = world;
  if (task.status !== "pending_exec" || !world.requests.some((r) => r.status === "approved")) {
    return;
  }
  Object.assign(task, { status: "running", reason: null });
  advance(world, "approve");
}

/** Whether distinct persons, each still entitled by the account they answered with, fill every slot. */
export function slotsFilled(world: World, { slots, approvals }: Request): boolean {
  const holds = ({ decision, account, role, person }: Approval) =>
    decision === "approve" && world.accounts[account].active &&
    world.accounts[account].role === role &&
    !approvals.some((no) => no.decision === "reject" && no.person === person);
  const fill = (index: number, used: number[]): boolean =>
    index === slots.length ||
    approvals.some((yes) =>
      holds(yes) && !used.includes(yes.person) &&
      world.policy.fills[slots[index]].includes(yes.role) && fill(index + 1, [...used, yes.person])
    );
  return fill(0, []);
}

export const effectNotBegun = (world: World): boolean =>
  world.effects.length === 0 &&
  ["pending", "ready"].includes(stepOf(world, effectNode(world.task)).status);

export function expire(world: World, request: Request): void {
  request.status = "expired";
  const step = stepOf(world, "approve");
  if (step.status === "awaiting_approval") step.status = "failed";
  endTask(world, "rejected", "request_expired");
}

/** A request whose row no longer says what its task and its policy ask for is not the one that people were shown. */
export function drifted(world: World, request: Request): boolean {
  return digest(world, request.expires) !== request.digest || request.tier !== world.task.tier ||
    request.slots.join() !== world.policy.slots[effectiveTier(world)].join();
}

type Answer = Update["intent"] & { type: "answer" };

function addressed(world: World, { request }: Answer): Request | undefined {
  if (request === "unknown") return undefined;
  if (request === "task") return world.requests.findLast((r) => r.status !== "superseded");
  return world.requests[request];
}

export function decide(world: World, account: number, update: Update): Outcome {
  const intent = update.intent as Answer;
  const member = world.accounts[account];
  const request = addressed(world, intent);
  if (request === undefined) return { refused: "unknown_request" };
  const own = request.approvals.filter(({ person }) => person === member.person);
  const earlier = own.find(({ decision }) => decision === "reject") ??
    own.find((one) => one.account === account) ?? own[0];
  const takesBack = intent.decision === "reject" && earlier?.decision === "approve" &&
    (request.status === "open" || request.status === "approved" && effectNotBegun(world));
  if ((request.status === "open" || takesBack) && request.expires <= world.now) {
    expire(world, request);
  }
  const refused = ((): string | null => {
    if (request.status === "expired") return "request_expired";
    if (
      earlier?.account === account &&
      (earlier.decision === "reject" || intent.decision === "approve")
    ) return "already_decided";
    if (request.status !== "open" && !takesBack) return "request_closed";
    if (request.status === "open" && stepOf(world, "approve").status !== "awaiting_approval") {
      return "replanning";
    }
    if (update.bundle !== "active") return "policy_not_active";
    if (!request.slots.some((slot) => world.policy.fills[slot].includes(member.role))) {
      return "wrong_role";
    }
    if (member.person === world.task.requester) return "self_approval";
    if (earlier !== undefined && !takesBack) return "dual_control_violation";
    if (request.status === "open" && drifted(world, request)) {
      request.status = "superseded";
      ask(world);
      return "digest_drift";
    }
    return signatureProblem(world, intent, request, member) ??
      (intent.decision === "approve"
        ? secondFactorProblem(world, member, request.tier, update.proof)
        : null);
  })();
  if (refused !== null) return { refused };
  request.approvals.push({
    account,
    person: member.person,
    role: member.role,
    decision: intent.decision,
    simulated: update.simulated,
  });
  if (intent.decision === "reject") {
    request.status = "rejected";
    const step = stepOf(world, "approve");
    if (step.status === "awaiting_approval") step.status = "failed";
    endTask(world, "rejected", "approval_rejected");
  } else if (slotsFilled(world, request)) {
    request.status = "approved";
    settle(world, request);
  }
  return { status: request.status };
}
