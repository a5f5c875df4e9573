import { isOpen, slotsFilled } from "./approving.ts";
import type { Outcome, World } from "./world.ts";

/** One look at everything that is compared, as `model.look` gives it. */
export interface Look {
  task: [string, string | null, string];
  steps: Record<string, string>;
  requests: {
    id: string;
    code: string;
    digest: string;
    status: string;
    tier: string;
    slots: string[];
    filled: boolean | null;
    answers: string[];
  }[];
  effects: { id: string; status: string; attempt: number; channel: string }[];
  stops: Record<string, string> | null;
  t3: boolean;
  confirmations: { code: string; is: string }[];
  grants: [boolean, boolean][];
}

/** What the model expects of everything that can be looked at, in the form in which the database shows it. */
function expectedOf(world: World): Record<string, unknown> {
  const { task } = world;
  return {
    task: [task.status, task.reason, task.tier],
    steps: Object.fromEntries(world.steps.map(({ node, status }) => [node, status])),
    requests: world.requests.map((request) => ({
      status: request.status,
      tier: request.tier,
      slots: request.slots.join(),
      filled: isOpen(request) ? slotsFilled(world, request) : null,
      answers: request.approvals.map(({ account, decision }) =>
        `${world.accounts[account].telegram} ${decision}`
      ).join(),
    })),
    effects: world.effects.map(({ status, attempt, channel }) => `${status} ${attempt} ${channel}`),
    stops: world.stops,
    t3: world.t3,
    confirmations: world.confirmations.map(({ kind, outcome }) => `${kind} ${outcome ?? "open"}`),
    grants: world.grants.map(({ used, voided }) => [used, voided]),
  };
}

function seenIn(look: Look): Record<string, unknown> {
  return {
    task: look.task,
    steps: look.steps,
    requests: look.requests.map(({ status, tier, slots, filled, answers }) => ({
      status,
      tier,
      slots: slots.join(),
      filled,
      answers: answers.join(),
    })),
    effects: look.effects.map(({ status, attempt, channel }) => `${status} ${attempt} ${channel}`),
    stops: { all: look.stops?.all ?? "lost", t3: look.stops?.t3 ?? "lost" },
    t3: look.t3,
    confirmations: look.confirmations.map(({ is }) => is),
    grants: look.grants,
  };
}

/** One line for everything in which the two are not the same. */
function differences(path: string, model: unknown, database: unknown): string[] {
  if (JSON.stringify(model) === JSON.stringify(database)) return [];
  const both = [model, database];
  if (!both.every((one) => typeof one === "object" && one !== null)) {
    return [`${path}: model ${JSON.stringify(model)}, database ${JSON.stringify(database)}`];
  }
  const [one, two] = both as Record<string, unknown>[];
  return [...new Set([...Object.keys(one), ...Object.keys(two)])].flatMap((key) =>
    differences(path ? `${path}.${key}` : key, one[key], two[key])
  );
}

export const stateDifferences = (world: World, look: Look): string[] =>
  differences("", expectedOf(world), seenIn(look));

/** A bundle that is not the active one may be called either; which, depends on whether it was ever approved. */
const asOne = (code: string | undefined): string | undefined =>
  code === "policy_not_approved" ? "policy_not_active" : code;

export const answerDifferences = (expected: Outcome[], got: Outcome[]): string[] =>
  differences(
    "answer",
    expected.map(({ refused, status }) => ({ refused: asOne(refused), status })),
    got.map(({ refused, status }) => ({ refused: asOne(refused), status })),
  );
