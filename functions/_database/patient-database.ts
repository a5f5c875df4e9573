import { type Database, DatabaseError } from "./database.ts";

/**
 * Serialization, deadlock, a lock that was not to be had, a statement that was cancelled: the transaction is rolled
 * back whole, so the same call may be made again.
 */
const contention = new Set(["40001", "40P01", "55P03", "57014"]);

export const isContention = (error: unknown): boolean =>
  error instanceof DatabaseError && contention.has(error.code);

export interface Patience {
  /** How often in all. */
  attempts?: number;
  baseMs?: number;
  capMs?: number;
  wait?: (milliseconds: number) => Promise<void>;
  random?: () => number;
}

const sleep = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/**
 * A database whose quarrels over rows are settled here: the call is made again after a pause of full jitter, a few times. What
 * still quarrels then is thrown as it is; to a step it is `contended`, which waits and counts as no failure.
 */
export function patientDatabase(database: Database, patience: Patience = {}): Database {
  const { attempts = 5, baseMs = 10, capMs = 500, wait = sleep, random = Math.random } = patience;
  return {
    async call<T>(name: string, args?: Record<string, unknown>): Promise<T> {
      for (let attempt = 1;; attempt++) {
        try {
          return await database.call<T>(name, args);
        } catch (error) {
          if (!isContention(error) || attempt >= attempts) throw error;
          await wait(random() * Math.min(capMs, baseMs * 2 ** attempt));
        }
      }
    },
    close: () => database.close(),
  };
}
