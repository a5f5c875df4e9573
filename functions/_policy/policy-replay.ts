import { again, type Change, decision } from "./policy-decision.ts";
import { type DecidingPolicy, decidingPolicyOf } from "./policy-domain.ts";

/** A row of `public.policy_decisions`; inputs and outcome as values, or as the JSON text that the database keeps. */
export interface StoredDecision {
  gate: string;
  task_id: string | null;
  policy_sha256: string | null;
  inputs: unknown;
  outcome: unknown;
}

interface Taken {
  action: string;
  /** Why it is not what its policy decides; null where it is. */
  failure: string | null;
  change: Change;
}

export interface Group {
  gate: string;
  action: string;
  how: string;
  count: number;
  examples: string[];
}

export interface Replay {
  decisions: number;
  reproduced: number;
  not_reproduced: Group[];
  loosened: Group[];
  tightened: Group[];
}

const mostExamples = 3;

class Tally {
  readonly groups = new Map<string, Group>();
  add(gate: string, action: string, how: string, example: string | null): void {
    const key = `${gate} ${action} ${how}`;
    const group = this.groups.get(key) ?? { gate, action, how, count: 0, examples: [] };
    this.groups.set(key, group);
    group.count++;
    if (
      example !== null && group.examples.length < mostExamples && !group.examples.includes(example)
    ) {
      group.examples.push(example);
    }
  }
  list = (): Group[] => [...this.groups.values()].sort((a, b) => b.count - a.count);
}

// History repeats itself: what was decided on the same grounds is decided once here. Bounded, for it need not.
const mostRemembered = 20_000;
const textOf = (value: unknown) => typeof value === "string" ? value : JSON.stringify(value);

/** Takes stored decisions page by page, each under the policy it was taken by, and then under `head`. */
export function replayer(head: DecidingPolicy, bodies: ReadonlyMap<string, unknown>) {
  const policies = new Map([...bodies].map(([sha256, body]) => [sha256, decidingPolicyOf(body)]));
  const tallies = { not_reproduced: new Tally(), loosened: new Tally(), tightened: new Tally() };
  const remembered = new Map<string, Taken>();
  let decisions = 0;
  let reproduced = 0;
  const taken = (gate: string, sha256: string | null, inputs: string, outcome: string): Taken => {
    const read = decision.safeParse({
      gate,
      inputs: JSON.parse(inputs),
      outcome: JSON.parse(outcome),
    });
    if (!read.success) {
      const failure = `${read.error.issues[0]?.path.join(".")} cannot be read`;
      return { action: "?", failure, change: null };
    }
    const { action } = read.data.inputs;
    const base = policies.get(sha256 ?? "");
    if (!base) {
      const failure = "the policy that it was taken by is not on record, or cannot be read";
      return { action, failure, change: null };
    }
    const { same, change } = again(base, read.data);
    return same
      ? { action, failure: null, change: change(head) }
      : { action, failure: `policy ${sha256?.slice(0, 12)} decides otherwise`, change: null };
  };
  const take = ({ gate, task_id, policy_sha256, ...stored }: StoredDecision): void => {
    decisions++;
    const [inputs, outcome] = [textOf(stored.inputs), textOf(stored.outcome)];
    const key = `${gate} ${policy_sha256} ${inputs} ${outcome}`;
    let result = remembered.get(key);
    if (result === undefined) {
      if (remembered.size >= mostRemembered) remembered.clear();
      result = taken(gate, policy_sha256, inputs, outcome);
      remembered.set(key, result);
    }
    const { action, failure, change } = result;
    if (failure !== null) return tallies.not_reproduced.add(gate, action, failure, task_id);
    reproduced++;
    if (change !== null) tallies[change.way].add(gate, action, change.how, task_id);
  };
  const report = (): Replay => ({
    decisions,
    reproduced,
    not_reproduced: tallies.not_reproduced.list(),
    loosened: tallies.loosened.list(),
    tightened: tallies.tightened.list(),
  });
  return { take, report };
}

export const countOf = (groups: readonly Group[]): number =>
  groups.reduce((sum, { count }) => sum + count, 0);
