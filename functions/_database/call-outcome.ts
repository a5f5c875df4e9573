/** What `api.call_outcome` knows of a lease, after the answer to a call under it was lost. */
export interface CallOutcome {
  step_id: string | null;
  step_status: string | null;
  last_code: string | null;
  lease: "held" | "done" | "released" | "lost";
  effect: { effect_id: string; status: string; idempotency_key: string; payload: unknown } | null;
}

type Args = Record<string, unknown>;
type Answer = Record<string, unknown>;

/** What `confirm_effect` leaves behind when it held. */
const confirmedAs: Record<string, readonly string[]> = {
  confirmed: ["confirmed"],
  failed: ["failed"],
  unknown: ["unknown"],
  not_sent: ["reserved"],
};

/**
 * The answer that was lost, where the rows show that the call was committed; null where it was not, and may be made again.
 * One lease ends once: whatever ended it under this attempt was the call that was lost, or there is nothing left to do.
 */
const readers: Record<string, (outcome: CallOutcome, args: Args) => Answer | null> = {
  record_plan: ({ lease, step_id }) => lease === "done" ? { step_id, status: "done" } : null,
  archive_task: ({ lease, step_id }) => lease === "done" ? { step_id, status: "archived" } : null,
  fail_step: ({ lease, step_status }) =>
    lease === "released" && step_status !== "cancelled" ? { status: step_status } : null,
  // What was only reserved is answered again by the call itself; what needs nobody outside was done with it.
  reserve_effect: ({ lease, effect }) =>
    lease === "done" && effect !== null
      ? {
        effect_id: effect.effect_id,
        status: effect.status,
        idempotency_key: effect.idempotency_key,
      }
      : null,
  // Only the holder of the lease starts an effect, and once: a start that is on record is this one, and nothing has left yet.
  start_effect: ({ lease, effect, last_code }) =>
    lease === "held" && effect?.status === "sent"
      ? { status: "sent" }
      : lease === "released"
      ? { refused: last_code ?? "stale_lease" }
      : null,
  confirm_effect: ({ lease, effect }, { p_outcome }) =>
    (lease === "done" || lease === "released") && effect !== null &&
      confirmedAs[String(p_outcome)]?.includes(effect.status)
      ? { status: effect.status }
      : null,
};

/** The calls that are fenced by a lease; a batch of results is looked up one by one. */
export const isFenced = (name: string): boolean => Object.hasOwn(readers, name);

export const answerOf = (name: string, outcome: CallOutcome, args: Args): Answer | null =>
  readers[name](outcome, args);

/** One result of `complete_steps`: done under this attempt was done by this result. */
export const completionOf = ({ lease, step_id }: CallOutcome): Answer | null =>
  lease === "done" ? { step_id, status: "done" } : null;

/** Calls that may be made twice: they only look, or they carry a key of their own and answer a repeat as the first time. */
export const repeatable: ReadonlySet<string> = new Set([
  "accept_event",
  "accept_payment",
  "accept_broker_report",
  "account_state",
  "beat",
  "breakers",
  "cached_retrieval",
  "call_outcome",
  "claim_notifications",
  "claim_steps",
  "complete_notifications",
  "extend_lease",
  "health",
  "hint_work",
  "look_for_work",
  "read_artifact",
  "read_proposed_policy",
  "reap",
  "record_quote",
  "rehearse_access",
  "report_bundle",
  "report_signing_key",
  "return_steps",
  "search_chunks",
  "sweep",
  "take_tool_token",
  "task_status",
  "watched_symbols",
]);
