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
  const code = error instanceof Error ? codeOf(error) ?? codeOf(error.cause) : null;
  return code === null ? `it could not be reached (${name})` : spokenCodes[code] ?? code;
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
