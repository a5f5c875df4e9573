import type { Breakers, CallOutcome, Leave } from "../_domain/breaker.ts";
import { Refusal } from "../_domain/refusal.ts";
import {
  createJudge,
  type JudgeAnswer,
  type JudgeOptions,
  type LlmJudge,
  marksOf,
} from "./judge.ts";

export interface PatientJudgeOptions extends JudgeOptions {
  /** Asked once where the model takes too long, with less to read; null for none. */
  fastModel: string | null;
  breakers: Breakers;
}

const tool = "llm.judge";
// Together below the lease of the step that asks.
const patience = { first: 14_000, second: 8_000 };
/** A quarter of what the model is shown, and a quarter of that of each piece of evidence. */
const shorter = 6_000;

/** An answer that breaks the schema counts like none: a judge that talks nonsense is not there. */
function outcomeOf(answer: JudgeAnswer): CallOutcome {
  if (answer.ok) return "success";
  return answer.trouble === "timeout" || answer.trouble === "failure" ? "failure" : "released";
}

/**
 * The judge behind its breaker, and where the model takes too long a faster one with a shorter text, once. Its marks say
 * who gave them. While the breaker is open nobody is asked, and the hard rules stand alone.
 */
export function patientJudge(options: PatientJudgeOptions): LlmJudge {
  const { fastModel, breakers, timeoutMs = fastModel ? patience.first : undefined } = options;
  const judge = createJudge({ ...options, timeoutMs });
  const faster = fastModel === null ? null : createJudge({
    ...options,
    model: fastModel,
    timeoutMs: Math.min(timeoutMs ?? patience.second, patience.second),
    longestContent: shorter,
  });

  async function askBoth(input: Parameters<LlmJudge["ask"]>[0]): Promise<JudgeAnswer> {
    const first = await judge.ask(input);
    if (first.ok || first.trouble !== "timeout" || faster === null) return first;
    const second = await faster.ask(input);
    if (!second.ok) {
      return { ...second, reason: `${first.reason}; ${faster.name}: ${second.reason}` };
    }
    const note = `${judge.name} took too long; ${faster.name} marked a shortened text`;
    const notes = [note, ...second.marks.notes].slice(0, 10);
    return { ok: true, marks: { ...second.marks, notes } };
  }

  /** While the patience is tightened, both models together have that long. */
  async function askWithin(
    leave: Leave,
    input: Parameters<LlmJudge["ask"]>[0],
  ): Promise<JudgeAnswer> {
    if (leave.within === undefined) return await askBoth(input);
    try {
      return await leave.within(() => askBoth(input));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { ok: false, reason: error.message, trouble: "timeout" };
    }
  }

  async function ask(input: Parameters<LlmJudge["ask"]>[0]): Promise<JudgeAnswer> {
    let leave;
    try {
      leave = await breakers.admit(tool);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { ok: false, reason: `not asked: ${error.code}`, trouble: "not_asked" };
    }
    const answer = await askWithin(leave, input);
    await breakers.report(leave, outcomeOf(answer), answer.ok ? undefined : answer.reason);
    return answer;
  }

  return {
    name: judge.name,
    ask,
    score: marksOf(ask, options.report),
  };
}
