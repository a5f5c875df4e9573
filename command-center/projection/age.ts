/** Seconds since a time; null where there is none. */
export const ageOf = (at: string | null, now: Date): number | null =>
  at === null ? null : (now.getTime() - Date.parse(at)) / 1000;
