import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TestDatabase } from "../support/database.ts";
import * as line from "../support/line.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../support/native.ts";

onNativePostgres("a stop among many sessions", () => {
  let native: NativeDatabase;
  let db: TestDatabase;
  /** Sessions of another process. */
  let other: TestDatabase;

  beforeAll(async () => {
    native = await openNativeDatabase();
    const through = (max: number) =>
      ({ ...native, database: native.connect(max) }) as unknown as TestDatabase;
    db = through(10);
    other = through(10);
    await line.activate(db);
    await line.addMember(db, "operator", "olga", "1001");
    await line.addMember(db, "owner", "oskar", "1002");
    await line.addMember(db, "owner", "ottilie", "1003");
  });
  afterAll(() => native?.close());

  const say = (by: TestDatabase, from: string, intent: Record<string, unknown>, proof?: unknown) =>
    line.handle(by, line.update(from, intent, { second_factor: proof ?? null }));
  const stop = (by: TestDatabase) => say(by, "1001", { type: "stop", scope: "all", reason: null });
  const stateOf = async () =>
    (await db.owner<{ state: string }>(
      "select state from public.emergency_stops where scope = 'all'",
    ))[0].state;
  const setRunning = () => db.owner("update public.emergency_stops set state = 'running'");

  it("outlives a resume that is confirmed in the same moment", async () => {
    for (let round = 0; round < 20; round++) {
      await stop(db);
      const { code } = await say(db, "1001", { type: "resume", scope: "all", reason: null });
      const proof = await line.secondFactor(db, "1002");
      const intent = { type: "confirm", code, decision: "approve" };
      const [confirmed] = await Promise.all([say(db, "1002", intent, proof), stop(other)]);
      expect(["resumed", "refused"]).toContain(confirmed.reply);
      expect(await stateOf()).toBe("stopped");
    }
  }, 60_000);

  it("is ended once by two people who confirm one code together", async () => {
    for (let round = 0; round < 10; round++) {
      await stop(db);
      const { code } = await say(db, "1001", { type: "resume", scope: "all", reason: null });
      const proofs = [await line.secondFactor(db, "1002"), await line.secondFactor(db, "1003")];
      const intent = { type: "confirm", code, decision: "approve" };
      const answers = await Promise.all([
        say(db, "1002", intent, proofs[0]),
        say(other, "1003", intent, proofs[1]),
      ]);
      expect(answers.map(({ reply, refused }) => refused ?? reply).sort())
        .toEqual(["resumed", "unknown_confirmation"]);
    }
  }, 60_000);

  it("waits for a start that is under way, and lets none begin behind it", async () => {
    await setRunning();
    const { work } = await line.approvedSignal(db);
    const underWay = db.owner("select private.share_stop_lock(), pg_sleep(0.6)");
    await sleep(150);
    const began = performance.now();
    const asked = stop(other);
    await sleep(150);
    // Behind the waiting stop, although the lock is only shared so far.
    const late = line.reserve(db, work);
    expect(await asked).toMatchObject({ reply: "stopped", changed: true });
    expect(performance.now() - began).toBeGreaterThan(200);
    expect(await late).toMatchObject({ refused: "stopped" });
    await underWay;
  }, 60_000);

  it("is not kept waiting by reservations that never cease", async () => {
    await setRunning();
    let over = false;
    const busy = Array.from({ length: 6 }, async () => {
      while (!over) await db.owner("select private.share_stop_lock(), pg_sleep(0.02)");
    });
    const began = Date.now();
    expect(await stop(other)).toMatchObject({ reply: "stopped" });
    const waited = Date.now() - began;
    over = true;
    await Promise.all(busy);
    expect(waited).toBeLessThan(2000);
  }, 60_000);

  it("lets one of two workers through a broken glass, once", async () => {
    await setRunning();
    const { taskId, work } = await line.approvedSignal(db);
    await stop(db);
    const asked = { type: "breakglass", id: taskId, reason: "it must go out" };
    const { code } = await say(db, "1002", asked);
    const proof = await line.secondFactor(db, "1003");
    await say(db, "1003", { type: "confirm", code, decision: "approve" }, proof);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => line.reserve(i % 2 ? db : other, work)),
    );
    const effects = new Set(answers.flatMap(({ effect_id }) => effect_id ? [effect_id] : []));
    expect(effects.size).toBe(1);
    const [effect] = effects;
    const starts = await Promise.all(
      Array.from({ length: 8 }, (_, i) => line.start(i % 2 ? db : other, effect, work)),
    );
    expect(starts.filter(({ status }) => status === "sent")).toHaveLength(1);
    const used =
      "select count(*)::integer as n from public.audit_logs where action = 'effect.reserve' and object like 'break_glass:%'";
    expect(await db.owner(used)).toEqual([{ n: 1 }]);
  }, 60_000);
});
