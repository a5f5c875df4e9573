/** The ways in which a source stops telling the truth, and the one in which it tells that there is nothing. */
export const faults = [
  "down",
  "slow",
  "frozen",
  "clock ahead",
  "clock behind",
  "malformed",
] as const;
export type Fault = typeof faults[number];
export type Condition = Fault | "well" | "empty";

/** Far beyond every age that is allowed. */
const hour_ms = 3_600_000;

/** What the clock of a source shows under a condition; a frozen one stopped an hour ago. */
export function clockUnder(condition: Condition): Date {
  const now = Date.now();
  if (condition === "clock ahead") return new Date(now + hour_ms);
  return new Date(condition === "clock behind" || condition === "frozen" ? now - hour_ms : now);
}
