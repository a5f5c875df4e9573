import { conceptRules, outline } from "./injection-concepts.ts";
import { deciphered, decodedRuns } from "./injection-decode.ts";
import { markup, phrases, squeezedOrder } from "./injection-phrases.ts";
import { type Readable, readable } from "./injection-text.ts";
import { unscrambled } from "./injection-typo.ts";

/**
 * A deterministic filter for text that came from outside and tries to give orders: it runs before an agent uses
 * the text and again in the critic. It is a tripwire, not the guarantee: the guarantee is that no agent has a tool,
 * tier or approval to give away. Hence it is tuned to stay silent on market talk ("ignore the previous high").
 */
export interface InjectionVerdict {
  flagged: boolean;
  /** Names of the rules that struck, for the red flag; never the text itself. */
  reasons: string[];
}

/** Longer text is not read to its end and therefore flagged: hiding behind bulk must not help. */
export const longestText = 32_768;

function strikes({ plain, folded, squeezed }: Readable): string[] {
  const reasons = new Set<string>();
  const words = unscrambled(folded);
  const shape = outline(words);
  for (const [name, rule] of Object.entries(phrases)) if (rule.test(words)) reasons.add(name);
  for (const [name, rule] of Object.entries(conceptRules)) if (rule.test(shape)) reasons.add(name);
  if (markup.test(plain)) reasons.add("chat_markup");
  if (squeezedOrder.test(squeezed)) reasons.add("overrides_instructions");
  return [...reasons];
}

// What has to be decoded to be read was encoded for a reader that decodes: a model. An encoding may hide another.
function hides(text: string, depth = 0): boolean {
  return decodedRuns(text).some(({ text: decoded }) =>
    strikes(readable(decoded)).length > 0 || (depth < 2 && hides(decoded, depth + 1))
  );
}

/** Checks one or more pieces of external text; null pieces are absent fields. */
export function findInjection(...texts: readonly (string | null | undefined)[]): InjectionVerdict {
  const reasons = new Set<string>();
  for (const whole of texts) {
    if (typeof whole !== "string" || whole === "") continue;
    if (whole.length > longestText) reasons.add("too_long_to_read");
    const text = whole.slice(0, longestText);
    const read = readable(text);
    if (read.hidden) reasons.add("hidden_characters");
    for (const reason of strikes(read)) reasons.add(reason);
    if (hides(text) || deciphered(text).some((way) => strikes(readable(way)).length > 0)) {
      reasons.add("encoded_instructions");
    }
  }
  return { flagged: reasons.size > 0, reasons: [...reasons].sort() };
}
