const maxDepth = 32;

/**
 * Why Postgres could not keep this JSON as jsonb, or null. A NUL and half a surrogate pair are valid in JSON and
 * refused there; deep nesting costs its stack. Asked at the door, these are the sender's mistakes and not our 500.
 */
export function storable(value: unknown, depth = 0): string | null {
  if (depth > maxDepth) {
    return `the request nests deeper than ${maxDepth} levels`;
  }
  if (typeof value === "string") {
    if (value.includes("\0")) return "the request holds a NUL character";
    return value.isWellFormed() ? null : "the request holds half a surrogate pair";
  }
  if (typeof value !== "object" || value === null) return null;
  const parts = Array.isArray(value) ? value : Object.entries(value).flat();
  for (const part of parts) {
    const trouble = storable(part, depth + 1);
    if (trouble !== null) return trouble;
  }
  return null;
}
