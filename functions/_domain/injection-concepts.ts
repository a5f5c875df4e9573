import { lexicon } from "./injection-lexicon.ts";
import { fold } from "./injection-text.ts";

// Scripts that put no space between words, or glue endings to them: there a word is found within a run of letters.
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const literal = (word: string) => word.replace(/[.+?^${}()[\]\\]/g, "\\$&").replace(/_/g, " ");
const longestEnding = 12;

const names = Object.keys(lexicon);
/** Word, or stem, to the number of its concept: the first that has it. */
const words = new Map<string, number>();
const stems = new Map<string, number>();
/** What is not one word between spaces is looked for as a pattern, concept by concept. */
const patterns: { concept: number; rule: RegExp }[] = [];

for (const [concept, listed] of Object.values(lexicon).entries()) {
  const spelt = [...new Set(fold(listed).split(/[| ]+/))].filter((word) => word !== "")
    .sort((a, b) => b.length - a.length);
  const parts: string[] = [];
  for (const word of spelt) {
    const stem = word.endsWith("*") ? word.slice(0, -1) : null;
    const isGlued = unspaced.test(word);
    if (isGlued || word.includes("_")) {
      const ending = stem === null || isGlued ? "" : `[\\p{L}\\p{M}]{0,${longestEnding}}`;
      const body = literal(stem ?? word) + ending;
      parts.push(isGlued ? body : `(?<![\\p{L}\\p{M}\\p{N}])${body}(?![\\p{L}\\p{M}\\p{N}])`);
    } else if (stem !== null) stems.set(stem, stems.get(stem) ?? concept);
    else words.set(word, words.get(word) ?? concept);
  }
  if (parts.length > 0) patterns.push({ concept, rule: new RegExp(parts.join("|"), "gu") });
}
const longestStem = Math.max(...[...stems.keys()].map((stem) => stem.length));

function conceptOf(word: string): number | null {
  let found = words.get(word) ?? null;
  const least = Math.max(2, word.length - longestEnding);
  for (let length = Math.min(word.length, longestStem); length >= least; length--) {
    const concept = stems.get(word.slice(0, length));
    if (concept !== undefined && (found === null || concept < found)) found = concept;
  }
  // Arabic writes "and" as a letter in front of the word.
  return found ?? (word.length > 2 && word.startsWith("و") ? conceptOf(word.slice(1)) : null);
}

// What was already read stands in the private use area, where no letter of the text is.
const firstMark = 0xe000;
const mark = (concept: number) => String.fromCharCode(firstMark + concept);
const anyMark = /[\ue000-\ue0ff]/g;
const sentenceEnd = "\ue0ff";

/**
 * The text as a row of signs: a capital letter for a word that the lexicon knows, a dot for one that it does not, a
 * bar where a sentence ends. What is looked for in it is the same in every language.
 */
export function outline(folded: string): string {
  let text = folded.replace(anyMark, " ")
    .replace(/[.!?;:\n|。！？।؟]+(?=\s|$|[^\w])/g, ` ${sentenceEnd} `);
  for (const { concept, rule } of patterns) text = text.replace(rule, ` ${mark(concept)} `);
  const signs = text.match(/[\p{L}\p{M}\p{N}]+|[\ue000-\ue0ff]/gu) ?? [];
  return signs.map((sign) => {
    if (sign === sentenceEnd) return "|";
    const code = sign.charCodeAt(0);
    if (sign.length === 1 && code >= firstMark && code < 0xe0ff) return names[code - firstMark];
    const concept = conceptOf(sign);
    return concept === null ? "." : names[concept];
  }).join("");
}

/** Rules over the outline, both word orders where languages differ. */
export const conceptRules: Record<string, RegExp> = {
  overrides_instructions:
    /V[^|]{0,5}?P[^|]{0,2}?C|V[^|]{0,3}?C[^|]{0,1}?P|P[^|]{0,3}?C[^|]{0,2}?V|V[^|]{0,2}?C[^|]{0,2}?Y/,
  claims_approval:
    /V[^|]{0,2}?G|U[^|]{0,6}?Z[^|]{0,2}?[GH]|Z[^|]{0,2}?[GH][^|]{0,6}?U|G[^|]{0,1}?Z[^|]{0,3}?U/,
  asks_for_secrets: /[RJ][^|]{0,5}?S|S[^|]{0,4}?R/,
  changes_role: /Y[^|]{0,3}?O/,
  steers_the_evaluation:
    /J[^|]{0,5}?(?:F[^|]{0,2}?K|K[^|]{0,2}?F|Q)|(?:F[^|]{0,2}?K|K[^|]{0,2}?F|Q)[^|]{0,3}?J|A[^|]{0,4}?J[^|]{0,4}?[FKQ]/,
};
