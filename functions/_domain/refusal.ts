/**
 * The one closed list of refusals: the same codes in SQL (`private.refusal_codes`), here and in docs/errors.md.
 * An expected refusal is a value; only surprises are thrown, and they surface as `internal`.
 */
export const refusals = {
  unauthorized: {
    status: 401,
    meaning: "The caller did not present a secret that this door accepts.",
  },
  forbidden: { status: 403, meaning: "The caller is known but may not do this." },
  not_found: { status: 404, meaning: "There is no such object." },
  method_not_allowed: { status: 405, meaning: "This door takes another HTTP method." },
  payload_too_large: { status: 413, meaning: "The body is larger than this door accepts." },
  unusable_alert: {
    status: 422,
    meaning: "The alert names no instrument or action that can be read.",
  },
  invalid_request: { status: 422, meaning: "The request does not have the documented shape." },
  invalid_event: { status: 422, meaning: "The event does not have the documented envelope." },
  unclassified_action: { status: 422, meaning: "The policy gives this action no risk tier." },
  insufficient_data: { status: 422, meaning: "A figure that the proposal needs is missing." },
  score_out_of_range: { status: 422, meaning: "A rubric mark or score lies outside its range." },
  cyclic_plan: { status: 422, meaning: "The plan's steps wait for one another in a circle." },
  unknown_agent: {
    status: 422,
    meaning: "The plan names an agent that the registry does not have or has disabled.",
  },
  invalid_plan: { status: 422, meaning: "The plan does not have the documented shape." },
  rate_limited: { status: 429, meaning: "Too many requests: wait as long as Retry-After says." },
  policy_invalid: {
    status: 503,
    meaning: "The policy is missing or malformed; nothing is planned, decided or reserved.",
  },
  policy_not_active: {
    status: 503,
    meaning: "This process bundles a policy that is not the active one.",
  },
  least_privilege: {
    status: 503,
    meaning: "The running role could write tables directly, so nothing is served.",
  },
  unavailable: { status: 503, meaning: "The database did not answer." },
  stale_lease: {
    status: 409,
    meaning: "The lease was lost: another worker owns the step, or it has ended.",
  },
  illegal_transition: { status: 409, meaning: "The state machine has no such edge." },
  history_is_append_only: { status: 409, meaning: "History is never changed or removed." },
  archived_is_frozen: { status: 409, meaning: "The task is archived and no longer changes." },
  tool_denied: { status: 403, meaning: "The agent's allowlist does not name this tool." },
  not_a_member: { status: 403, meaning: "The sender is not a member." },
  wrong_role: { status: 403, meaning: "The member's role may not decide this request." },
  sender_not_personal: { status: 403, meaning: "Only a member's own private message counts." },
  self_approval: { status: 409, meaning: "Nobody approves what they asked for." },
  dual_control_violation: {
    status: 409,
    meaning: "Two distinct people are needed; this person has decided already.",
  },
  already_decided: { status: 409, meaning: "This member's decision is on record." },
  request_closed: { status: 409, meaning: "The request is closed." },
  request_expired: { status: 409, meaning: "The request has expired; no answer counts as no." },
  unknown_request: { status: 404, meaning: "There is no request with this code." },
  digest_drift: { status: 409, meaning: "What was approved is not what would be done now." },
  approval_missing: {
    status: 409,
    meaning: "The approvals that the policy asks for are not on record.",
  },
  evaluation_missing: { status: 409, meaning: "The critic has not evaluated what would be done." },
  critic_rejected: {
    status: 409,
    meaning: "The critic's score is below the policy's threshold, or it raised a red flag.",
  },
  author_is_critic: { status: 409, meaning: "An agent does not evaluate its own work." },
  t3_execution_disabled: { status: 409, meaning: "T3 effects are not switched on." },
  local_decision: {
    status: 409,
    meaning: "A decision simulated locally unlocks no effect to an outside channel.",
  },
  effect_exists: { status: 409, meaning: "This effect was reserved before." },
  effect_unknown: {
    status: 409,
    meaning: "The outcome of an effect was not seen; a person must settle it.",
  },
  last_owner: { status: 409, meaning: "The last owner cannot be removed." },
  duplicate_member: { status: 409, meaning: "This account already belongs to a member." },
  pairing_failed: { status: 403, meaning: "The pairing code is wrong, used or expired." },
  internal: { status: 500, meaning: "Internal error." },
} as const;

export type RefusalCode = keyof typeof refusals;

export const isRefusalCode = (code: unknown): code is RefusalCode =>
  typeof code === "string" && Object.hasOwn(refusals, code);

/** An expected refusal on its way to the edge. `detail` is a sentence for a person; it never holds a secret. */
export class Refusal extends Error {
  constructor(readonly code: RefusalCode, readonly detail: string = refusals[code].meaning) {
    super(`${code}: ${detail}`);
    this.name = "Refusal";
  }
}
