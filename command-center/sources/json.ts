import type { z } from "zod";
import { Unanswered } from "./unanswered.ts";

/** Text of a source as its type, or a reason that names the field and never its content. */
export function parsed<T>(schema: z.ZodType<T>, text: string, what: string): T {
  const result = schema.safeParse(json(text, what));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const at = issue.path.map(String).join(".").slice(0, 80);
  throw new Unanswered(`${what} has another shape than expected${at === "" ? "" : ` at ${at}`}`);
}

function json(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Unanswered(`${what} is no whole JSON`);
  }
}
