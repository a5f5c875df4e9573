import { mask } from "../../../functions/_domain/mask.ts";

/** Values that no configuration needs and every leak consists of. */
const looksSecret = (value: string): boolean =>
  mask(value) !== value ||
  /^[0-9a-f]{32,}$/i.test(value) ||
  /:\/\/[^/\s]*@/.test(value) ||
  (/^[A-Za-z0-9+/_=-]{32,}$/.test(value) && /\d/.test(value) && /[A-Z]/.test(value) &&
    /[a-z]/.test(value) && !value.includes("/"));

const secretKey = /(^|_)(token|password|passwd|secret|key|credential|authorization|cookie)$/i;

/** Where in a document a secret seems to stand, as a path without its value; the name of a variable is not one. */
export function secretsIn(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value === "string") return looksSecret(value) ? [path.join(".")] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = [...path, key];
    // A Redis key is the name of a place, not of a lock.
    const isNamed = secretKey.test(key) && key !== "redis_key";
    return isNamed && typeof inner === "string" ? [at.join(".")] : secretsIn(inner, at);
  });
}
