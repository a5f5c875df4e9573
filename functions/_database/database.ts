import type { Json } from "../_domain/json.ts";

/**
 * The one way to what is true: named arguments in, one `api` function, JSON out.
 * An expected refusal comes back as a value (`{refused: code}`). What Postgres raises is thrown as a
 * `DatabaseError`; a database that did not answer is thrown as the refusal `unavailable`.
 */
export interface Database {
  call<T = Json>(name: string, args?: Record<string, unknown>): Promise<T>;
  close(): Promise<void>;
}

/** An error that Postgres raised, the same over every transport. */
export class DatabaseError extends Error {
  constructor(
    /** The SQLSTATE, such as 23514, or AGTRN where one of our guards raised it. */
    readonly code: string,
    message: string,
    /** The violated constraint's name: it is a sentence, and the best error message there is. */
    readonly constraint: string | null = null,
  ) {
    super(message);
    this.name = "DatabaseError";
  }

  get sqlstate(): string {
    return this.code;
  }
}
