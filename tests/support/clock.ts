import type { TestDatabase } from "./database.ts";

export interface FrozenClock {
  set(at: string): Promise<void>;
  /** Moves the clock on; a step of a millisecond is `0.001`. */
  advance(seconds: number): Promise<void>;
}

/**
 * Stops the database's only clock at a moment of the test's choosing. This replaces `private.now()` in a scratch
 * database; the shipped body is compared elsewhere.
 */
export async function freezeClock(db: TestDatabase, at: string): Promise<FrozenClock> {
  await db.owner("create table if not exists private.test_clock (at timestamptz not null)");
  await db.owner("delete from private.test_clock");
  await db.owner("insert into private.test_clock values ($1)", [at]);
  await db.owner(`create or replace function private.now() returns timestamptz language sql volatile
    parallel safe set search_path = '' as 'select c.at from private.test_clock c'`);
  return {
    set: async (moment) => void await db.owner("update private.test_clock set at = $1", [moment]),
    advance: async (seconds) =>
      void await db.owner(
        "update private.test_clock set at = at + make_interval(secs => $1::double precision)",
        [seconds],
      ),
  };
}
