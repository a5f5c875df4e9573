import {
  checksOf,
  criteria,
  type Criterion,
  criterionNames,
  type Evaluation,
  hasRedFlag,
  readRubric,
  type Rubric,
  rubricSchema,
  score,
  total,
  verdict,
} from "../_domain/evaluation.ts";
import { approvalRule } from "../_domain/policy.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { Input } from "../_domain/task.ts";
import type { Agent, AgentContext, Judge } from "./agent.ts";
import { judgeClarity } from "./critic-clarity.ts";
import { judgeEvidence } from "./critic-evidence.ts";
import { judgeFactuality } from "./critic-factuality.ts";
import { judgePolicy } from "./critic-policy.ts";
import { judgeRisk } from "./critic-risk.ts";
import { type Findings, judgedTypes, readWork, type Subject } from "./critic-subject.ts";
import { isStale, sourcesAmong } from "./source-material.ts";

const nameOf = (agent: string) => agent.split(":")[0];

/** Hard rules: the same work gives the same marks, without a model and without a network. */
export function findings(subject: Subject): Findings {
  const { artifact, critic, policy } = subject;
  // Another version of the same agent is still the same author.
  if (nameOf(artifact.agent) === nameOf(critic)) throw new Refusal("author_is_critic");
  if (criterionNames.some((name) => policy.rubric.maxima[name] !== criteria[name])) {
    throw new Refusal("policy_invalid", "The policy's rubric is not the one this critic marks by.");
  }
  const work = readWork(artifact);
  return {
    policy: judgePolicy(work, subject),
    evidence: judgeEvidence(work, subject),
    factuality: judgeFactuality(work, subject),
    clarity: judgeClarity(work, subject),
    risk: judgeRisk(work, subject),
  };
}

/** A judge's mark as far as it lowers ours. Rounded down to the two decimals that are kept; a doubt about yes is no. */
function lowered(name: Criterion, hard: number, judged: number): number {
  const whole = name === "policy" || name === "risk";
  const kept = whole ? Math.floor(judged) : Math.floor(judged * 100 + 1e-6) / 100;
  return Math.min(hard, kept);
}

// The judge may give fractions for yes and no as well, hence its own, wider shape.
const judgedShape = rubricSchema.extend({
  policy: rubricSchema.shape.factuality.max(criteria.policy),
  risk: rubricSchema.shape.factuality.max(criteria.risk),
});

async function ask(judge: Judge, { artifact, inputs, task }: Subject) {
  try {
    return await judge.score({
      goal: task.goal,
      content: artifact.content,
      evidence: sourcesAmong(inputs).map(({ content }) => content),
    });
  } catch (error) {
    if (error instanceof Refusal) throw error;
    return null;
  }
}

/** Hard rules first; a judge second, and it can only lower: what talks a model into full marks wins nothing. */
export async function evaluate(
  subject: Subject,
  options: { threshold: number; judge: Judge | null; tool: AgentContext["tool"] },
): Promise<Evaluation> {
  const found = findings(subject);
  const rubric: Rubric = readRubric(
    Object.fromEntries(criterionNames.map((name) => [name, found[name].mark])),
  );
  const reasons = Object.fromEntries(
    criterionNames.map((name) => [name, [...found[name].lost]]),
  ) as Record<Criterion, string[]>;
  const notes = sourcesAmong(subject.inputs).filter(isStale)
    .map(({ node_id }) => `${node_id} is stale: what was found before stood in for it`);
  const { judge } = options;
  if (judge) {
    const answer = await options.tool("llm.judge", () => ask(judge, subject));
    const { notes: said = [], ...marks } = answer ?? { notes: [] };
    const judged = judgedShape.safeParse(marks);
    if (!judged.success) {
      notes.push(`${judge.name} gave no usable marks: the hard rules stand alone`);
    } else {
      for (const name of criterionNames) {
        const mark = lowered(name, rubric[name], judged.data[name]);
        if (mark < rubric[name]) reasons[name].push(`${judge.name} gave ${judged.data[name]}`);
        rubric[name] = mark;
      }
      notes.push(...said.slice(0, 10).map((note) => `${judge.name}: ${note}`));
    }
  } else {
    notes.push("no judge is configured: the hard rules stand alone");
  }
  const threshold = Math.max(
    options.threshold,
    approvalRule(subject.policy, subject.task.risk_tier).min_score,
  );
  const redFlags = hasRedFlag(rubric)
    ? [
      ...(rubric.policy === 0 ? reasons.policy.map((reason) => `policy: ${reason}`) : []),
      ...(rubric.risk === 0 ? reasons.risk.map((reason) => `risk: ${reason}`) : []),
    ]
    : [];
  return {
    critic: subject.critic,
    artifact_id: subject.artifact.artifact_id,
    artifact_checksum: subject.artifact.checksum,
    rubric,
    total: total(rubric),
    score: score(rubric),
    checks: checksOf(rubric, reasons),
    red_flags: redFlags.slice(0, 32).map((flag) => flag.slice(0, 500)),
    threshold,
    verdict: verdict(rubric, threshold, redFlags),
    notes: notes.map((note) => note.slice(0, 500)),
  };
}

const isJudged = ({ type }: Input) => (judgedTypes as readonly string[]).includes(type);

export const critic: Agent = async (work, context) => {
  const { artifact, inputs } = await context.tool("artifacts.read", () =>
    Promise.resolve({
      artifact: work.inputs.findLast((input) => input.node_id === "act" && isJudged(input)) ??
        work.inputs.findLast(isJudged),
      inputs: work.inputs,
    }));
  if (!artifact) throw new Refusal("insufficient_data", "There is nothing to evaluate.");
  const evaluation = await evaluate(
    { artifact, inputs, task: work.task, critic: work.agent, policy: context.policy },
    // The tier's own threshold holds; nobody asked for a stricter one.
    { threshold: 0, judge: context.judge, tool: context.tool },
  );
  return {
    artifact: {
      type: "evaluation",
      media_type: "application/json",
      content: JSON.stringify(evaluation),
    },
    evaluation,
    quality_score: evaluation.score,
  };
};
