import { type RefusalCode, refusals } from "../_domain/refusal.ts";

/** Which refusal a response carries, for the log line; the caller reads it in the body. */
const codes = new WeakMap<Response, RefusalCode>();

// Never text/html: the platform rewrites it on GET, and nothing here is a page.
const headers = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

export function respond(
  value: unknown,
  status = 200,
  more: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify(value) + "\n", { status, headers: { ...headers, ...more } });
}

/**
 * The answer to a refusal: `{error, message, …detail}` under the status of `_domain/refusal.ts`.
 * With `retry_after` (seconds) in the detail the header of that name is set, so a sender that obeys it comes back in time.
 */
export function refuse(
  code: RefusalCode,
  detail: Record<string, unknown> = {},
  more: Record<string, string> = {},
): Response {
  const { status, meaning } = refusals[code];
  const seconds = Number(detail.retry_after ?? (status === 429 ? 1 : Number.NaN));
  const wait: Record<string, string> = Number.isFinite(seconds)
    ? { "retry-after": String(Math.max(1, Math.ceil(seconds))) }
    : {};
  const response = respond({ error: code, message: meaning, ...detail }, status, {
    ...wait,
    ...more,
  });
  codes.set(response, code);
  return response;
}

export const refusalOf = (response: Response): RefusalCode | null => codes.get(response) ?? null;
