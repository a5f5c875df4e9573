import { expect } from "vitest";
import type { Answer } from "../support/line.ts";
import type { House } from "./house.ts";

/** Takes one guard away, in a scratch database that is thrown away afterwards. */
export type Removal = (house: House) => Promise<void>;

/**
 * One promise of docs/security.md, what holds it, and the test that must go red without it. The probe throws an
 * AssertionError when the guard does not hold; any other error says that the probe itself could not be carried out.
 */
export interface Guard {
  /** The promise as a sentence. */
  name: string;
  promise: Promise_;
  /** The sentence of the test. */
  test: string;
  without: Removal;
  probe(house: House): Promise<unknown>;
}

/** The rows of docs/security.md. */
export const promises = {
  gates:
    "No effect without a passing evaluation and the approvals of the policy, over the exact bytes",
  people: "Nobody approves what they asked for; two slots need two persons",
  signature: "Every decision is signed by the platform over what the database would write",
  factor: "A yes to T3 carries a code that only the member's device shows",
  once: "An effect is started at most once per key; an unknown outcome waits for a person",
  steps: "Each step is completed at most once",
  stop: "After a stop is committed no effect starts",
  glass: "What loosens a stop takes two people, an owner among them",
  trades: "A trade passes every limit of policy and account, what is in flight included",
  access: "What was paid opens one door, for the buyer alone",
  history: "History is append-only for every role that can log in",
  machine: "Tasks, steps, requests and effects move along the edges of one table",
  audit: "Every change leaves an audit row in its own transaction",
  roles: "Who may do what is a list of grants",
  plans: "No plan leads around a gate, and unknown actions fail closed",
  critic: "The critic is never the author, and the verdict is computed here",
  policy: "A policy changes through the gates of every other T3 effect",
  bus:
    "A consumer meets every event, one that is repeated changes nothing, and a paused one is handed nothing",
  looking: "Who looks at the platform's pages changes nothing and reads only what they show",
  rates: "Doors and tools answer no more often than the policy says",
  tools: "A tool that does not answer is left alone, and what needs it waits",
} as const;
type Promise_ = keyof typeof promises;

/** The definition of the one function of this name, with `find` replaced. It must be there exactly once. */
export function replace(name: string, find: string, put: string): Removal {
  return async (house) => {
    const found = await house.owner<{ text: string }>(
      `select pg_get_functiondef(p.oid) as text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname || '.' || p.proname = $1`,
      [name],
    );
    if (found.length !== 1) throw new Error(`${name} is ${found.length} functions`);
    const parts = found[0].text.split(find);
    if (parts.length !== 2) throw new Error(`${name} has ${parts.length - 1} times: ${find}`);
    await house.owner(parts.join(put));
  };
}

export const drop = (name: string, find: string): Removal => replace(name, find, "");

/** A condition that never holds, in place of one that is there exactly once, or once before the words given. */
export const never = (name: string, condition: string, before = ""): Removal =>
  replace(name, condition + before, `false${before}`);

export const statement = (sql: string): Removal => async (house) => void await house.owner(sql);

/** Both `drop trigger` and `drop constraint` fail for what is not there. */
export const dropTrigger = (table: string, name: string): Removal =>
  statement(`drop trigger "${name}" on ${table}`);
export const dropConstraint = (table: string, name: string): Removal =>
  statement(`alter table ${table} drop constraint "${name}"`);

/** Where one guard stands behind another, both are taken away. */
export const all = (...removals: Removal[]): Removal => async (house) => {
  for (const remove of removals) await remove(house);
};

/** What a probe needs before it can ask. A refusal here is nobody's guard. */
export function given(answer: Answer): Answer {
  if (answer.refused) throw new Error(`refused as ${answer.refused} on the way`);
  return answer;
}

/** The act is refused with this code. Another refusal is another guard's, and shows nothing about this one. */
export function refuses(answer: Answer, code: string): void {
  if (answer.refused !== undefined && answer.refused !== code) {
    throw new Error(`refused as ${answer.refused}, not as ${code}`);
  }
  expect(answer.refused, `nothing refused it: ${JSON.stringify(answer)}`).toBe(code);
}

/** The statement is refused with this SQLSTATE. Another error shows nothing. */
export async function forbids(code: string, act: () => Promise<unknown>): Promise<void> {
  const answered = await act().then(() => null, (error) => error);
  if (answered !== null && answered.code !== code) {
    throw new Error(`failed with ${answered.code}, not with ${code}`, { cause: answered });
  }
  expect(answered, "nothing forbade it").not.toBeNull();
}
