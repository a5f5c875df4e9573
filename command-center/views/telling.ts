import { type About, type Figure, figureOf } from "../truth/figure.ts";
import type { Reading } from "../truth/reading.ts";

/** Figures about one object of a reading: each names the object, and the one that is its name leads to it. */
export type Telling = <V>(
  value: V | null | undefined,
  more?: About & { leads?: true },
) => Figure<V>;

export const telling = (
  reading: Reading<unknown>,
  { id, href = null }: { id: string; href?: string | null },
): Telling =>
(value, { leads, ...more } = {}) =>
  figureOf(reading, () => value, { id, href: leads ? href : null, ...more });

/** What one source said to a view as a whole: how many objects, or why it is blind. */
export type Note = Figure<number>;

export const noteOf = (reading: Reading<readonly unknown[]>, what: string): Note =>
  figureOf(reading, (rows) => rows.length, { id: what });
