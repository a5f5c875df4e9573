import { Refusal } from "../_domain/refusal.ts";
import { DatabaseError } from "./database.ts";

/**
 * The database was not there. `not_done`: the call certainly changed nothing. `unseen`: it was on its way, and whether it
 * was committed is not known; whoever needs to know looks it up.
 */
export class DatabaseUnavailable extends Refusal {
  constructor(readonly certainty: "not_done" | "unseen", detail: string) {
    super("unavailable", detail);
    this.name = "DatabaseUnavailable";
  }
}

/** Serialization failure, deadlock, lock not available, query canceled: Postgres took the whole statement back. */
const takenBack = /^(40001|40P01|55P03|57014)$/;

export const wasTakenBack = (error: unknown): boolean =>
  error instanceof DatabaseError && takenBack.test(error.code);

/** Of the database and not of the work: another moment may bring another answer, and it is nobody's failure. */
export const isTrouble = (error: unknown): boolean =>
  error instanceof DatabaseUnavailable || wasTakenBack(error);

// The connection was refused or never came about, the server is starting, or it has no connection left.
const before =
  /^(ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOENT|CONNECT_TIMEOUT)$/;
const beforeState = /^(57P03|53300|08001|08004)$/;

/** What the code of a lost connection leaves open. A code that is not known leaves everything open. */
export const certaintyOf = (code: string): "not_done" | "unseen" =>
  before.test(code) || beforeState.test(code) ? "not_done" : "unseen";
