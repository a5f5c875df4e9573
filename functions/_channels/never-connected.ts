import { Refusal } from "../_domain/refusal.ts";

/** A refusal of an answer: the request had left, and whoever got it may have acted on it. */
export class AnsweredRefusal extends Refusal {}

// No connection was made, so nothing was written: Node names it by code, Deno in the message.
const neverConnected = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** Whether a failed fetch certainly left nothing at the other end. In doubt it did not. */
export function wasNeverConnected(error: unknown): boolean {
  // A guard that let no request out says so by a refusal; one of its answer comes too late for that.
  if (error instanceof Refusal) return !(error instanceof AnsweredRefusal);
  if (!(error instanceof Error)) return false;
  const cause = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const words = `${error.message} ${cause instanceof Error ? cause.message : ""}`;
  return neverConnected.has(code) || error.name === "NotCapable" ||
    words.includes("client error (Connect)");
}
