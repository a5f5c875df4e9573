import { type About, type Figure, figureOf } from "../truth/figure.ts";
import type { Reading } from "../truth/reading.ts";

/** Figures about one object of a reading: each names the same object and may know better. */
export type Telling = <V>(value: V | null | undefined, more?: About) => Figure<V>;

export const telling = (reading: Reading<unknown>, object: About): Telling => (value, more = {}) =>
  figureOf(reading, () => value, { ...object, ...more });

/** What one source said to a view as a whole: how many objects, or why it is blind. */
export type Note = Figure<number>;

export const noteOf = (reading: Reading<readonly unknown[]>): Note =>
  figureOf(reading, (rows) => rows.length, { id: reading.source });
