import { decodedRuns } from "./injection-decode.ts";

const invisible =
  /[\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/gu;

// Full-width and mathematical letters and digits. Never to a quote, a bracket or a backslash: the text may be JSON.
const compatible = /[\u2000-\u200a\u2070-\u209f\u2460-\u24ff\uff01-\uff5e\u{1d400}-\u{1d7ff}]/gu;
const asPlain = (char: string): string => {
  const plain = char.normalize("NFKC");
  return /^[\w@.+:/ -]{1,4}$/.test(plain) ? plain : char;
};

export const encodedMark = "[masked]";

/**
 * What `mask` does to plain text, done to text that hides the same things: split by characters without a width,
 * written in full-width forms, or encoded. A run that says something to be masked goes as a whole.
 */
export function maskHidden(text: string, mask: (text: string) => string, depth = 0): string {
  // The whole first: what is masked in pieces leaves pieces.
  let clean = text;
  for (const [rule, by] of [[invisible, () => ""], [compatible, asPlain]] as const) {
    const bare = clean.replace(rule, by);
    if (bare !== clean && mask(bare) !== bare) clean = bare;
  }
  clean = mask(clean);
  if (depth > 1) return clean;
  for (const { run, text: said } of decodedRuns(clean)) {
    if (maskHidden(said, mask, depth + 1) !== said) clean = clean.replaceAll(run, encodedMark);
  }
  return clean;
}
