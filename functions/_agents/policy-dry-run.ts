import { type BoundReport, policyChangeOf, type ReplayGroup } from "../_domain/policy-change.ts";
import { Refusal } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";
import type { Agent } from "./agent.ts";
import { dryRunArtifact, rehearsedIn } from "./dry-run-of-request.ts";

const mostLines = 12;
const shownChanges = 6;
const lineOf = (way: string) => ({ count, gate, action, how }: ReplayGroup): string =>
  `${way}: ${count} × ${gate} ${action}: ${how}`;

// A replay knows what happened; what nobody has used yet shows in the values alone, so they come first.
function changeLines({ changed, changes }: BoundReport): string[] {
  if (changes.length === 0) return ["No value changes, only the wording of the file."];
  if (changes.length <= shownChanges + 1) return changes;
  return [...changes.slice(0, shownChanges), `and ${Number(changed) - shownChanges} more changes`];
}

/**
 * The rehearsal of a policy change: what it changes, and its replay, which says what the decisions on record would have
 * become. The replay was made before the task, so it is handed on as it is, with the hash of the proposal that it belongs
 * to. What is on record under its name is looked up, so that nobody is asked for one text while another body waits.
 */
export const policyDryRun: Agent = async (work, { tool, read_policy }) => {
  const asked = policyChangeOf(work.task.payload);
  if (asked === null) {
    throw new Refusal("insufficient_data", "The task carries no replay report that can be read.");
  }
  const { change, report } = asked;
  if (!read_policy) {
    throw new Refusal("unavailable", "The proposed policy cannot be looked up here.");
  }
  const { subject, record } = await tool("artifacts.read", async () => ({
    subject: rehearsedIn(work),
    record: await read_policy(change.policy_sha256),
  }));
  if (
    record.policy_sha256 !== change.policy_sha256 || record.body_sha256 !== report.body_sha256
  ) {
    throw new Refusal(
      "digest_drift",
      "Another policy is on record than the one that is asked for.",
    );
  }
  return dryRunArtifact(subject, {
    ...change,
    report,
    lines: [
      ...changeLines(report),
      `Of ${report.decisions} decisions on record ${report.reproduced} were reproduced.`,
      `${report.loosened} would be taken more loosely, ${report.tightened} more strictly.`,
      ...report.loosened_groups.map(lineOf("Looser")),
      ...report.tightened_groups.map(lineOf("Stricter")),
    ].slice(0, mostLines),
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
