/** How much a row wants to be looked at. Only what is live may be `good`. */
export const levels = ["red", "amber", "unknown", "quiet", "good"] as const;
export type Level = typeof levels[number];

export const urgency = (level: Level): number => levels.indexOf(level);
export const worst = (all: readonly Level[]): Level =>
  all.reduce((one, other) => urgency(other) < urgency(one) ? other : one, "good");
