import type { Criterion } from "../_domain/evaluation.ts";
import type { Policy } from "../_domain/policy.ts";
import { type Proposal, proposalSchema, type Result, resultSchema } from "../_domain/result.ts";
import type { Input, StepWork } from "../_domain/task.ts";
import { type JudgedIdea, judgedIdea } from "./critic-idea.ts";

/** What is evaluated, and everything it is held against. */
export interface Subject {
  artifact: Input;
  /** The task's other artifacts. */
  inputs: Input[];
  task: StepWork["task"];
  /** `name:version` of the critic. */
  critic: string;
  policy: Policy;
}

export type ReadWork =
  | { type: "idea"; idea: JudgedIdea }
  | { type: "result"; result: Result }
  | { type: "proposal"; proposal: Proposal }
  | { type: "unreadable"; reason: string };

/** A criterion's finding: marks of its maximum, and a sentence for everything that was lost. */
export interface Finding {
  mark: number;
  lost: string[];
}

export type Rule = (work: ReadWork, subject: Subject) => Finding;
export type Findings = Record<Criterion, Finding>;

/** Full marks less what the losses cost, never below nothing. */
export function lessen(most: number, losses: readonly { cost: number; reason: string }[]): Finding {
  const cost = losses.reduce((sum, loss) => sum + loss.cost, 0);
  return { mark: Math.max(0, most - cost), lost: losses.map(({ reason }) => reason) };
}

/** The artifacts that a critic judges; a plan or a source is none. */
export const judgedTypes = ["idea", "result", "proposal"] as const;

const schemas = { idea: judgedIdea, result: resultSchema, proposal: proposalSchema };

export function readWork({ type, content }: Input): ReadWork {
  const judged = judgedTypes.find((name) => name === type);
  if (judged === undefined) return { type: "unreadable", reason: `a ${type} is not judged` };
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { type: "unreadable", reason: "the content is not JSON" };
  }
  const parsed = schemas[judged].safeParse(json);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    return { type: "unreadable", reason: `${path.join(".") || "the content"}: ${message}` };
  }
  return { type: judged, [judged]: parsed.data } as ReadWork;
}

/** Every piece of text that came from outside and is in the work or stands behind it. */
export function externalTexts(work: ReadWork, { artifact, task }: Subject): string[] {
  const own = work.type === "idea"
    ? [work.idea.note, work.idea.strategy, work.idea.summary, work.idea.timeframe]
    : work.type === "result"
    ? [work.result.summary, work.result.text]
    : work.type === "proposal"
    ? strings(work.proposal)
    : [artifact.content];
  return [task.goal, ...own, ...strings(task.payload)].filter((text) => text !== null);
}

/** Every string and every key: a word is as good in a name as in a value. */
function strings(value: unknown, depth = 0): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || depth > 40) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).slice(0, 2000)
    .flatMap(([key, item]) => [...(isList ? [] : [key]), ...strings(item, depth + 1)]);
}
