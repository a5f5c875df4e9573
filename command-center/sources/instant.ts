import { momentOf } from "../truth/judge.ts";

/** Between 2001 and 2603: seconds outside are milliseconds, or no time at all. */
const earliest = 1e9;
const latest = 2e10;

/** Seconds since 1970, as Python writes them, as ISO; anything else is no time. */
export function fromEpoch(seconds: unknown): string | null {
  if (typeof seconds !== "number" || !(seconds >= earliest && seconds <= latest)) return null;
  return new Date(seconds * 1000).toISOString();
}

/** A time as a source may write it: ISO with a zone, or seconds since 1970, as a number or as text. */
export function instantOf(value: unknown): string | null {
  if (typeof value === "number") return fromEpoch(value);
  if (typeof value !== "string") return null;
  const text = value.trim();
  if (/^\d{9,11}(\.\d{1,9})?$/.test(text)) return fromEpoch(Number(text));
  return momentOf(text)?.toISOString() ?? null;
}
