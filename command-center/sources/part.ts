import type { Reader, Reading } from "../truth/reading.ts";

export interface Part<T> {
  value: T;
  /** What is missing from this part; null where it is whole. */
  partial: string | null;
}

/** A part of what a reader reads, as a reader: no better than the whole, and degraded where the part is cut. */
export function partOf<Whole, T>(
  reader: Reader<Whole>,
  take: (whole: Whole, now: Date) => Part<T>,
): Reader<T> {
  return {
    source: reader.source,
    read: async (now, signal) => taken(await reader.read(now, signal), (whole) => take(whole, now)),
  };
}

function taken<Whole, T>(reading: Reading<Whole>, take: (whole: Whole) => Part<T>): Reading<T> {
  if (reading.status === "unknown") return reading;
  const { value, partial } = take(reading.value);
  if (partial === null) return { ...reading, value };
  const reason = reading.reason === null ? partial : `${reading.reason}; ${partial}`;
  // Stale stays stale: how old it is says more than what it lacks.
  const status = reading.status === "live" ? "degraded" : reading.status;
  return { ...reading, status, reason, value };
}
