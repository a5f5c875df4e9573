import { DatabaseError } from "./database.ts";
import { certaintyOf, DatabaseUnavailable } from "./trouble.ts";

const sqlstate = /^[0-9A-Z]{5}$/;

// Connection exceptions, a server that shuts down or starts, and one that has no connection left.
const lost = /^(08...|57P0[1-5]|53300)$/;

/** What a driver threw, in the terms of `Database`. The drivers name the constraint differently; all name `code`. */
export function raised(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (error instanceof DatabaseUnavailable) return error;
  const { code, constraint, constraint_name } = error as Error & {
    code?: unknown;
    constraint?: string;
    constraint_name?: string;
  };
  if (typeof code !== "string") return error;
  // EPIPE and its like have five letters too, but no SQLSTATE class starts with E.
  if (!sqlstate.test(code) || code.startsWith("E")) {
    return new DatabaseUnavailable(certaintyOf(code), `The database did not answer (${code}).`);
  }
  if (lost.test(code)) {
    return new DatabaseUnavailable(certaintyOf(code), `The database is not there (${code}).`);
  }
  return new DatabaseError(code, error.message, constraint ?? constraint_name ?? null);
}
