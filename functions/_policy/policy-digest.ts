import { decimal } from "../_domain/decimal.ts";
import { sha256Hex } from "./parse-policy.ts";

/**
 * The sha256 of a parsed policy: what its text says, however it is worded. The same that `private.policy_digest` makes
 * of the body which the database obeys.
 */
export const policyDigest = (body: unknown): Promise<string> =>
  sha256Hex(new TextEncoder().encode(canonical(body)));

// Keys by code point, no white space. A number has more than one spelling, so it is the text "n0.8", and a text "s…".
// What does not fit a decimal keeps a spelling that the database has for nothing, so that it never agrees.
function canonical(value: unknown): string {
  if (typeof value === "number") {
    return JSON.stringify(`n${decimal(String(value)) ?? String(value)}`);
  }
  if (typeof value === "string") return JSON.stringify(`s${value}`);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const members = Object.entries(value).filter(([, one]) => one !== undefined)
    .sort(([a], [b]) => a < b ? -1 : 1);
  return `{${members.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(",")}}`;
}
