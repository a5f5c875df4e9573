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
  policy_not_approved: {
    status: 503,
    meaning: "This process bundles a policy that was never approved, or one that was replaced.",
  },
  second_factor_required: { status: 403, meaning: "This needs a code of your authenticator." },
  second_factor_wrong: { status: 403, meaning: "The code is wrong, old or used." },
  second_factor_locked: {
    status: 429,
    meaning: "Too many wrong codes: no code counts for a while.",
  },
  signature_missing: {
    status: 409,
    meaning: "The decision came without the platform's signature.",
  },
  signature_mismatch: {
    status: 409,
    meaning: "What was signed is not what would be decided now, or it was signed too long ago.",
  },
  stopped: { status: 409, meaning: "An emergency stop is in force: no effect starts." },
  replanning: { status: 409, meaning: "The work is being done anew; wait for what comes of it." },
  dry_run_missing: { status: 409, meaning: "There is no dry run of exactly what would be done." },
  quote_stale: {
    status: 409,
    meaning: "There is no fresh price from a source that the policy names.",
  },
  price_moved: {
    status: 409,
    meaning: "The price has moved further from the approved one than the policy allows.",
  },
  limit_exceeded: { status: 409, meaning: "This would exceed a limit." },
  unknown_account: {
    status: 404,
    meaning: "There is no such account, or its equity is not known.",
  },
  account_suspended: { status: 409, meaning: "The account is suspended." },
  incomplete_bracket: {
    status: 422,
    meaning: "Entry, stop and target are one order; a part is missing.",
  },
  position_missing: {
    status: 409,
    meaning: "The order would not reduce a position that is open now.",
  },
  kyc_incomplete: { status: 409, meaning: "The KYC and AML checklist is not complete." },
  cool_down: { status: 409, meaning: "The last payment of this account is too recent." },
  payment_unverified: {
    status: 422,
    meaning: "The chain does not show this payment as made to us.",
  },
  payment_replayed: { status: 409, meaning: "This transaction was credited before." },
  unknown_order: { status: 404, meaning: "The payment names no open order." },
  order_expired: { status: 409, meaning: "The order expired before it was paid." },
  wrong_amount: { status: 422, meaning: "The amount paid is less than the price." },
  unknown_confirmation: { status: 404, meaning: "Nothing waits for this code, or it was used." },
  confirmation_expired: { status: 409, meaning: "The code has expired: ask again." },
  break_glass_invalid: { status: 409, meaning: "Break-glass is not possible for this." },
  url_denied: { status: 403, meaning: "The address is not one that this platform may call." },
  no_channel: { status: 409, meaning: "There is no channel through which this could be done." },
  breaker_open: {
    status: 503,
    meaning: "The tool has failed too often and is left alone for a while.",
  },
  internal: { status: 500, meaning: "Internal error." },
} as const;

export type RefusalCode = keyof typeof refusals;

export const isRefusalCode = (code: unknown): code is RefusalCode =>
  typeof code === "string" && Object.hasOwn(refusals, code);

/** Which tool outside it was about, and how many seconds that asked to be waited for, where it did. */
export interface About {
  tool?: string;
  retry_after?: number;
}

/** An expected refusal on its way to the edge. `detail` is a sentence for a person; it never holds a secret. */
export class Refusal extends Error {
  constructor(
    readonly code: RefusalCode,
    readonly detail: string = refusals[code].meaning,
    /** Whoever passes it on may add the tool; what it is does not change by that. */
    public about: About = {},
  ) {
    super(`${code}: ${detail}`);
    this.name = "Refusal";
  }
}
