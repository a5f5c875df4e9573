import { z } from "zod";
import type { Proposal, Result } from "../_domain/result.ts";
import type { StepWork } from "../_domain/task.ts";
import { rehearseAccess } from "./access-dry-run.ts";
import { withGrant } from "./access-proposal.ts";
import type { Agent } from "./agent.ts";
import { rehearseRequest } from "./dry-run-of-request.ts";
import { policyDryRun, withPolicyChange } from "./policy-dry-run.ts";
import { cite, givenText, payloadOf, scalars } from "./source-material.ts";

export const irreversible: ReadonlySet<string> = new Set(["TRADE", "PAYMENT", "WITHDRAWAL"]);

const longestSummary = 280;

const firstLine = (text: string): string => {
  const line = text.split("\n").find((part) => part.trim() !== "")?.trim().replace(/\s+/gu, " ") ??
    "";
  return line.length <= longestSummary
    ? line
    : `${[...line].slice(0, longestSummary - 1).join("")}…`;
};

const retrieval = z.object({ chunks: z.array(z.object({ content: z.string().nullable() })) });

/** What a retrieval found, word for word. */
const found = (work: StepWork): string[] =>
  work.inputs.filter((input) => input.type === "retrieval")
    .flatMap((input) => retrieval.parse(JSON.parse(input.content)).chunks)
    .map(({ content }) => content).filter((content) => content !== null);

/** The request's own words; without any, its goal, its fields and what the archive holds. Nothing is worded anew. */
export function composeResult(work: StepWork): Result {
  const { task, inputs } = work;
  const text = givenText(task) ??
    [
      task.goal,
      ...scalars(payloadOf(task)).map(([name, value]) => `${name}: ${value}`),
      ...found(work),
    ].map((part) => part.trim()).filter((part) => part !== "").join("\n");
  const own = payloadOf(task).summary;
  const summary = typeof own === "string" && own.trim() !== "" ? own : task.goal.trim() || text;
  return { summary: firstLine(summary), text, evidence: cite(inputs) };
}

/** An irreversible action, described and not done: every figure as the request gave it. */
export function composeProposal(work: StepWork): Proposal {
  const { task, inputs } = work;
  const figures = Object.fromEntries(scalars(payloadOf(task)));
  const text = [
    task.goal.trim(),
    ...Object.entries(figures).map(([name, value]) => `${name}: ${value}`),
  ].filter((part) => part !== "").join("\n");
  return {
    action: task.action,
    summary: firstLine(task.goal.trim() || `${task.action} as requested`),
    text,
    figures,
    evidence: cite(inputs),
  };
}

/**
 * Prepares what is asked for; it has no effect of its own. Text that tries to give orders is copied like any other:
 * here it is cargo, and the critic is to see it as it is.
 */
export const executor: Agent = async (work, context) => {
  if (work.node_id === "dry_run") {
    switch (work.task.action) {
      case "PAYMENT":
        return await rehearseAccess(work, context);
      case "POLICY_CHANGE":
        return await policyDryRun(work, context);
      default:
        return rehearseRequest(work);
    }
  }
  const proposes = irreversible.has(work.task.action) || work.task.risk_tier === "T3";
  const content = await context.tool(
    "artifacts.read",
    () =>
      Promise.resolve(
        proposes
          ? withPolicyChange(withGrant(composeProposal(work), work, context.policy), work)
          : composeResult(work),
      ),
  );
  return {
    artifact: {
      type: proposes ? "proposal" : "result",
      media_type: "application/json",
      content: JSON.stringify(content),
    },
  };
};
