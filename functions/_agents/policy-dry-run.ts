import { policyChangeOf, type ReplayGroup } from "../_domain/policy-change.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";
import type { Agent } from "./agent.ts";
import { dryRunArtifact, rehearsedIn } from "./dry-run-of-request.ts";

const shownGroups = 5;
const lineOf = (way: string) => ({ count, gate, action, how }: ReplayGroup): string =>
  `${way}: ${count} × ${gate} ${action}: ${how}`;

/**
 * The rehearsal of a policy change is its replay: what the decisions on record would have become. It was made before
 * the task, so it is handed on as it is, with the hash of the proposal that it belongs to.
 */
export const policyDryRun: Agent = async (work, { tool }) => {
  const asked = policyChangeOf(work.task.payload);
  if (asked === null) {
    throw new Refusal("insufficient_data", "The task carries no replay report that can be read.");
  }
  const { change, report } = asked;
  const subject = await tool("artifacts.read", () => Promise.resolve(rehearsedIn(work)));
  return dryRunArtifact(subject, {
    ...change,
    report,
    lines: [
      `Of ${report.decisions} decisions on record ${report.reproduced} were reproduced.`,
      `${report.loosened} would be taken more loosely, ${report.tightened} more strictly.`,
      ...report.loosened_groups.slice(0, shownGroups).map(lineOf("Looser")),
      ...report.tightened_groups.slice(0, shownGroups).map(lineOf("Stricter")),
    ],
  });
};

/**
 * A proposal to change the policy names the policy and its replay; its effect is this and nothing else. Without either
 * it is a text like any other, which the rehearsal refuses.
 */
export function withPolicyChange<P extends object>(proposal: P, work: StepWork): P {
  const asked = work.task.action === "POLICY_CHANGE" ? policyChangeOf(work.task.payload) : null;
  return asked === null ? proposal : { ...proposal, policy: asked.change };
}
