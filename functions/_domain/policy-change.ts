import { z } from "zod";
import type { Json } from "./json.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What a change of policy does, member for member: the proposal's `policy`, and the payload of its effect. */
export const policyChange = z.strictObject({ policy_sha256: sha256, replay_sha256: sha256 });
export type PolicyChange = z.infer<typeof policyChange>;

const group = z.strictObject({
  gate: z.string().max(32),
  action: z.string().max(64),
  how: z.string().max(500),
  count: z.string().max(20),
  examples: z.array(z.string().max(64)).max(3),
});
export type ReplayGroup = z.infer<typeof group>;

/** How many groups of a kind a report carries. What is left out is in the counts. */
export const mostGroups = 20;
const groups = z.array(group).max(mostGroups);
const count = z.string().regex(/^\d{1,15}$/);

/** The report of a replay as a task carries it. Figures are text, so that one canonical form and one hash exist. */
export const replayReport = z.strictObject({
  replaces: sha256,
  decisions: count,
  reproduced: count,
  not_reproduced: count,
  loosened: count,
  tightened: count,
  not_reproduced_groups: groups,
  loosened_groups: groups,
  tightened_groups: groups,
});
export type ReplayReport = z.infer<typeof replayReport>;

/** What `api.propose_policy` adds to a report when it stores it. */
export const boundReport = replayReport.extend({
  policy_sha256: sha256,
  body_sha256: sha256,
  /** How many values differ from the policy in force, and the first of them as `path: old → new`. */
  changed: count,
  changes: z.array(z.string().max(400)).max(21),
});
export type BoundReport = z.infer<typeof boundReport>;

const proposedChange = policyChange.extend({ report: boundReport });

/** The change that a POLICY_CHANGE task asks for, from its payload; null where that is something else. */
export function policyChangeOf(
  payload: Json,
): { change: PolicyChange; report: BoundReport } | null {
  const read = z.object(proposedChange.shape).safeParse(payload);
  if (!read.success) return null;
  const { policy_sha256, replay_sha256, report } = read.data;
  return { change: { policy_sha256, replay_sha256 }, report };
}
