import { Sentence } from "../stack/sentence.ts";
import { askAsAuditor } from "./auditor.ts";
import type { Answer } from "./question.ts";
import { show } from "./output.ts";

export const defaultLimit = 1000;

export interface SqlOptions {
  json?: boolean;
  limit?: string | number;
  seconds?: string | number;
}

export async function sql(text: string, options: SqlOptions): Promise<void> {
  const limit = limitOf(options.limit);
  present(
    await askAsAuditor(text, limit, secondsOf(options.seconds)),
    limit,
    options.json === true,
  );
}

/** A result that was cut says so, where a program that reads the rows does not stumble over it. */
export function present(answer: Answer, limit: number, json: boolean): void {
  show(answer, json);
  if (answer.more) {
    console.error(
      `There are more than ${limit} rows: narrow the question, or ask for more with --limit.`,
    );
  }
}

export function limitOf(given: string | number | undefined): number {
  const limit = Number(given ?? defaultLimit);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000_000) {
    throw new Sentence("--limit is a number from 1 to 1000000.");
  }
  return limit;
}

export function secondsOf(given: string | number | undefined): number | null {
  if (given === undefined) return null;
  const seconds = Number(given);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 86_400) {
    throw new Sentence("--seconds is a number from 1 to 86400.");
  }
  return seconds;
}
