/** Something that the person at the terminal can mend. It is shown as a sentence, without a stack trace. */
export class Sentence extends Error {
  override name = "Sentence";
}

/** What to print for an error: the sentence, or where a surprise came from. */
export function explain(error: unknown): string {
  if (error instanceof Sentence) return error.message;
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
