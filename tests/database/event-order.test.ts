import postgres from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ack, addConsumer, drain, read, tell } from "../support/bus.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../support/native.ts";

onNativePostgres("events that commit in another order than they were told", () => {
  let native: NativeDatabase;
  beforeAll(async () => {
    native = await openNativeDatabase();
  });
  afterAll(() => native?.close());

  /** A session of its own whose transaction stays open until it is told to end. */
  async function openTelling(key: string) {
    const sql = postgres(native.ownerUrl, { max: 1, onnotice: () => {} });
    await sql`begin`;
    await sql`insert into public.events (type, incident_id, agent, idempotency_key)
      values ('INCIDENT_RAISED', gen_random_uuid(), 'test', ${key})`;
    return {
      async end(how: "commit" | "rollback") {
        await sql.unsafe(how);
        await sql.end();
      },
    };
  }

  it("are all read: one with a smaller number that commits later is waited for", async () => {
    await addConsumer(native, "patient");
    const early = await openTelling("late-commit");
    const later = await tell(native, 3);
    // They are committed and can be seen; but for the open one they could be read.
    expect(await drain(native, "patient")).toEqual([]);
    await early.end("commit");
    const [{ ordered }] = await native.owner<{ ordered: boolean }>(
      "select (select seq from public.events where idempotency_key = 'late-commit') < (select min(seq) from public.events where idempotency_key = any ($1)) as ordered",
      [later],
    );
    expect(ordered).toBe(true);
    expect(await drain(native, "patient", 2)).toEqual(["late-commit", ...later]);
  });

  it("are read without the one that was rolled back, which nobody waits for any more", async () => {
    await addConsumer(native, "forgiving");
    const gone = await openTelling("never-commits");
    const kept = await tell(native, 2);
    await gone.end("rollback");
    expect(await drain(native, "forgiving")).toEqual(kept);
  });

  it("do not wait for somebody who only reads", async () => {
    await addConsumer(native, "brisk");
    const sql = postgres(native.ownerUrl, { max: 1, onnotice: () => {} });
    const keys = await sql.begin("isolation level repeatable read", async (tx) => {
      await tx`select count(*) from public.events`;
      const told = await tell(native, 2);
      expect(await drain(native, "brisk")).toEqual(told);
      return told;
    });
    await sql.end();
    expect(keys).toHaveLength(2);
  });

  it("are all read, each once, while 8 sessions tell and roll back at random", async () => {
    await addConsumer(native, "busy");
    const kept: string[] = [];
    let telling = true;
    const sessions = Array.from({ length: 8 }, async (_, s) => {
      const sql = postgres(native.ownerUrl, { max: 1, onnotice: () => {} });
      for (let i = 0; i < 25; i++) {
        const key = `busy:${s}:${i}`;
        const rollsBack = (s * 25 + i) % 7 === 3;
        await sql.begin(async (tx) => {
          await tx`insert into public.events (type, incident_id, agent, idempotency_key)
            values ('INCIDENT_RAISED', gen_random_uuid(), 'test', ${key})`;
          await tx`select pg_sleep(${((s * 31 + i * 17) % 20) / 1000})`;
          if (rollsBack) throw new Error("rolled back");
          kept.push(key);
        }).catch((error: Error) => {
          if (error.message !== "rolled back") throw error;
        });
      }
      await sql.end();
    });
    const seen: string[] = [];
    const reading = (async () => {
      while (telling) seen.push(...await drain(native, "busy", 5));
    })();
    await Promise.all(sessions);
    telling = false;
    await reading;
    seen.push(...await drain(native, "busy"));
    expect(seen).toHaveLength(kept.length);
    expect(new Set(seen)).toEqual(new Set(kept));
  });

  it("go to one of 8 readers of one name at a time, and to each name in full", async () => {
    await addConsumer(native, "shared");
    const keys = await tell(native, 200);
    const seen: string[] = [];
    let left = keys.length;
    await Promise.all(Array.from({ length: 8 }, async () => {
      while (left > 0) {
        const batch = await read(native, "shared", 7);
        if (batch.events.length === 0) continue;
        left -= batch.events.length;
        seen.push(...batch.events.map(({ idempotency_key }) => idempotency_key));
        await ack(native, "shared", batch);
      }
    }));
    expect(seen).toEqual(keys);
  });

  it("that are delivered five times at once are handled once and skipped four times", async () => {
    await addConsumer(native, "idempotent");
    const pools = [native.connect(5), native.connect(5)];
    for (const key of await tell(native, 20)) {
      const [{ event_id }] = await native.owner<{ event_id: string }>(
        "select event_id from public.events where idempotency_key = $1",
        [key],
      );
      const answers = await Promise.all(
        Array.from(
          { length: 5 },
          (_, i) =>
            pools[i % 2].call<{ outcome: string }>("take_event", {
              p_consumer: "idempotent",
              p_event_id: event_id,
            }),
        ),
      );
      const outcomes = answers.map(({ outcome }) => outcome).sort();
      expect(outcomes).toEqual(["handle", "skip", "skip", "skip", "skip"]);
    }
    const [counted] = await native.owner(
      "select sum(handed)::int as handed, sum(skipped)::int as skipped from public.consumer_receipts where consumer = 'idempotent'",
    );
    expect(counted).toEqual({ handed: 20, skipped: 80 });
  });
});
