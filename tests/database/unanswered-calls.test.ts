import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Database } from "../../functions/_database/database.ts";
import { postgresDatabase } from "../../functions/_database/postgres-database.ts";
import { DatabaseUnavailable } from "../../functions/_database/trouble.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../support/native.ts";

onNativePostgres("a call that is never answered", () => {
  let native: NativeDatabase;
  let database: Database;
  beforeAll(async () => {
    native = await openNativeDatabase();
  });
  afterAll(async () => {
    await database?.close();
    await native?.close();
  });

  /** Needs nothing of what is locked below. */
  const other = () =>
    database.call("call_outcome", {
      p_attempt: 1,
      p_lease_token: randomUUID(),
      p_step_id: randomUUID(),
      p_effect_id: null,
    });
  const failureOf = (call: Promise<unknown>) =>
    call.then(() => null, (error: unknown) => error as DatabaseUnavailable);

  it("is unseen after its time, and keeps no connection from those after it", async () => {
    database = postgresDatabase(native.gatewayUrl, { max: 1, answerMs: 1_000 });
    await other();
    // Whoever asks for the jobs waits behind this lock for longer than the call does.
    const held = native.owner(
      "do $$ begin lock table public.jobs in access exclusive mode; perform pg_sleep(3); end $$",
    );
    await sleep(300);
    const began = Date.now();
    const failure = await failureOf(database.call("look_for_work"));
    expect(failure).toBeInstanceOf(DatabaseUnavailable);
    expect(failure).toMatchObject({ certainty: "unseen" });
    expect(Date.now() - began).toBeGreaterThan(900);
    // The one connection of its pool still waits; the next call does not wait behind it.
    expect(await other()).toMatchObject({ lease: "lost" });
    await held;
    expect(await database.call("look_for_work")).toHaveProperty("jobs");
  }, 60_000);
});
