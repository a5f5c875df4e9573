import { Refusal } from "../_domain/refusal.ts";
import type { Input, StepWork } from "../_domain/task.ts";
import type { StepResult } from "./agent.ts";

/** What is rehearsed: the newest proposal of the step that made it. */
export function rehearsedIn(work: StepWork): Input {
  const proposal = work.inputs.findLast(({ type, node_id }) =>
    type === "proposal" && node_id === "act"
  );
  if (!proposal) throw new Refusal("insufficient_data", "There is no proposal to rehearse.");
  return proposal;
}

/** A rehearsal on record. It names the proposal by its hash, so that it counts for those bytes alone; people read the lines. */
export const dryRunArtifact = (
  subject: Input,
  found: { lines: string[]; [figure: string]: unknown },
): StepResult => ({
  artifact: {
    type: "dry_run",
    media_type: "application/json",
    content: JSON.stringify({ subject_sha256: subject.checksum, ...found }),
  },
});

/** The rehearsal of an action that has no way out of this house: people should know before they decide. */
export const rehearseRequest = (work: StepWork): StepResult =>
  dryRunArtifact(rehearsedIn(work), {
    action: work.task.action,
    problem: "no_channel",
    lines: [
      `No channel of this platform carries out a ${work.task.action}.`,
      "An approval changes nothing: the effect would be refused with no_channel.",
    ],
  });
