import { z } from "zod";
import { blind, type Reader, seen } from "../truth/reading.ts";
import { answer } from "./answer.ts";
import type { Ask, Books } from "./books.ts";
import { TooPowerful } from "./guarded-books.ts";

export const postgres = "postgres";
/** A page's own reading is as old as the page; a database that is this far behind is not live. */
export const max_age_s = 30;

const readAt = z.object({ read_at: z.object({ observed_at: z.string().nullable() }) });

/** One part of the platform's database, read afresh; the time is the database's own. */
export function platformReader<T>(
  books: Books,
  work: (ask: Ask) => Promise<T>,
): Reader<T> {
  const origin = { source: postgres, max_age_s };
  return {
    source: postgres,
    async read(now, signal) {
      signal.throwIfAborted();
      try {
        const { at, value } = await books.read(async (ask) => {
          const [{ read_at }] = await answer(ask, readAt, "select api.read_at()");
          return { at: read_at.observed_at, value: await work(ask) };
        });
        return seen({ ...origin, now, observed_at: at, value });
      } catch (error) {
        return blind({ ...origin, reason: reasonOf(error) });
      }
    },
  };
}

/** What an operator can act on, without the statement, a host or a password in it. */
function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return "its answer has a shape that is not known here";
  if (error instanceof TooPowerful) return `not read, since ${error.message}`;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (/^(E[A-Z]+|CONNECT_TIMEOUT|CONNECTION_\w+|28\w{3}|3D000|57P0\d)$/.test(code)) {
    return `the database does not answer (${code})`;
  }
  if (code === "42501") return "the role command_center may not read this";
  if (code === "42P01" || code === "3F000") {
    return "the database lacks the command center's views: migrate it";
  }
  if (code === "57014") return "the database did not answer in time";
  return `the database could not be read${code ? ` (${code})` : ""}`;
}
