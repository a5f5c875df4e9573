/**
 * A deterministic local embedder: the same text gives the same vector under Node and Deno, offline, in microseconds.
 *
 * Feature hashing of whole words and of character trigrams, rather than a downloaded model: what is compared here
 * are short, formulaic trade ideas (symbol, side, strategy, timeframe), where shared words are what similarity
 * means; a model would bring a download, a version to pin and vectors that differ between machines. It knows no
 * synonyms. What would change this: ideas written in free prose; then replace this file, and re-embed.
 *
 * Only +, *, / and sqrt are used, which IEEE 754 defines to the bit; Math.log is not, so term frequency is damped
 * by the square root.
 */
export const dimensions = 384;

// A word says more than its fragments; trigrams keep near spellings (BTCUSDT, BTCUSDT.P) close.
const wordWeight = 1;
const trigramWeight = 0.35;
const longestText = 16_384;

const encoder = new TextEncoder();

/** FNV-1a over UTF-8, then a murmur finalizer: FNV alone leaves the sign bit correlated with the bucket. */
function hash(feature: string): number {
  let h = 0x811c9dc5;
  for (const byte of encoder.encode(feature)) h = Math.imul(h ^ byte, 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function features(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (feature: string) => counts.set(feature, (counts.get(feature) ?? 0) + 1);
  const words = text.slice(0, longestText).normalize("NFKC").toLowerCase()
    .match(/[\p{L}\p{N}]+(?:\.\p{N}+)*/gu) ?? [];
  for (const word of words) {
    add(`w:${word}`);
    const letters = [...`^${word}$`];
    for (let i = 0; i + 3 <= letters.length; i++) add(`t:${letters.slice(i, i + 3).join("")}`);
  }
  return counts;
}

/** 384 numbers of unit length. Text without a word gives the unit vector of the first dimension, not zeros: a zero vector has no cosine distance. */
export function embedText(text: string): number[] {
  const vector = new Float64Array(dimensions);
  for (const [feature, count] of features(text)) {
    const h = hash(feature);
    const sign = h & 1 ? 1 : -1;
    const weight = feature.startsWith("w:") ? wordWeight : trigramWeight;
    vector[(h >>> 1) % dimensions]! += sign * weight * Math.sqrt(count);
  }
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  if (length === 0) {
    vector[0] = 1;
    return Array.from(vector);
  }
  // Stored as 32-bit floats: rounded here, so that what was computed is what is found again.
  return Array.from(vector, (x) => Math.fround(x / length));
}

export const embed = (text: string): Promise<number[]> => Promise.resolve(embedText(text));
