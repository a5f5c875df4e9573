import { timingSafeEqual } from "npm:deno-std@1.4.0/crypto/timing_safe_equal.js";

/**
 * The only place that compares a presented secret with a kept one.
 *
 * Both sides are passed through HMAC-SHA256 under a key that lives as long as the process, and the two
 * macs are compared over their full length. The time taken then tells nothing about where the inputs
 * differ, nor about the kept secret's length.
 */
const key = crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

const mac = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.sign("HMAC", await key, new TextEncoder().encode(text)));

export async function sameSecret(presented: string, kept: string): Promise<boolean> {
  const [left, right] = await Promise.all([mac(presented), mac(kept)]);
  // An unset secret opens nothing, not even for a caller that presents nothing.
  return timingSafeEqual(left, right) && presented.length > 0 && kept.length > 0;
}

export interface NamedToken {
  name: string;
  token: string;
}

/** Whose token this is. Every kept token is compared, so the time does not tell which one matched. */
export async function whoseToken(
  presented: string,
  kept: readonly NamedToken[],
): Promise<NamedToken | null> {
  const matches = await Promise.all(kept.map(({ token }) => sameSecret(presented, token)));
  return kept.find((_, i) => matches[i]) ?? null;
}

/** What follows `Bearer ` in the Authorization header, or the empty string. */
export function bearerToken(request: Request): string {
  const header = request.headers.get("authorization") ?? "";
  return /^bearer +([!-~]+)$/i.exec(header.trim())?.[1] ?? "";
}
