/** Why a source said nothing that counts. Thrown inside a source's room, and turned into a reason at its door. */
export class Unanswered extends Error {
  override readonly name = "Unanswered";

  constructor(reason: string, readonly retry_after_s: number | null = null) {
    super(reason);
  }
}

/** What went wrong as one short sentence; no stack, no address, no body. */
export function reasonOf(error: unknown): string {
  if (error instanceof Unanswered) return error.message;
  const name = error instanceof Error ? error.name : typeof error;
  if (name === "TimeoutError" || name === "AbortError") return "no answer in time";
  if (name === "NotCapable") return "the command center was started without leave to reach it";
  if (!(error instanceof Error)) return `it could not be reached (${name})`;
  const code = codeOf(error) ?? codeOf(error.cause) ?? codeIn(error.cause);
  return code === null ? `it could not be reached (${name})` : spokenCodes[code] ?? code;
}

/** Deno's fetch gives no code; what happened stands in the sentence of its cause, beside the address. */
function codeIn(cause: unknown): string | null {
  const message = cause instanceof Error ? cause.message : "";
  if (/connection refused/i.test(message)) return "ECONNREFUSED";
  if (/connection reset|connection closed|broken pipe/i.test(message)) return "ECONNRESET";
  return /dns error|failed to lookup/i.test(message) ? "ENOTFOUND" : null;
}

const spokenCodes: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection broke off",
  ENOTFOUND: "its host name is not known",
  EACCES: "not allowed to read it",
  EPERM: "not allowed to read it",
  EISDIR: "it is a directory",
};

function codeOf(error: unknown): string | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}
