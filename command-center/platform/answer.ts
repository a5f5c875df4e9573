import { z } from "zod";
import type { Ask } from "./books.ts";

/** PGlite gives a Date where postgres.js gives a Date too, and JSON gives text: one text form from here on. */
export const time = z.union([z.date(), z.string()]).transform((value, context) => {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) {
    context.addIssue("this is no time");
    return z.NEVER;
  }
  return date.toISOString();
});
/** A count or a decimal: the drivers give bigint and numeric as text, a number or a bigint. */
export const count = z.union([z.number(), z.bigint(), z.string().regex(/^-?\d+(\.\d+)?$/)])
  .transform(Number);
/** postgres.js does not parse arrays of types that it was not told; PGlite does. */
export const words = z.union([
  z.array(z.string()),
  z.string().regex(/^\{.*\}$/).transform((text) =>
    text.slice(1, -1).split(",").filter(Boolean).map((word) => word.replace(/^"(.*)"$/, "$1"))
  ),
]);

/** Rows are an edge too: what has another shape than the view promises is no answer. */
export async function answer<S extends z.ZodType>(
  ask: Ask,
  row: S,
  question: string,
  params?: unknown[],
): Promise<z.infer<S>[]> {
  return z.array(row).parse(await ask(question, params));
}
