import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StepWork } from "../../functions/_domain/task.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import * as line from "../support/line.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await line.activate(db);
  await line.addMember(db, "operator", "olga", "1001");
});
afterAll(() => db.close());

const fresh = async (): Promise<StepWork> => {
  const { task_id } = await line.accept(db, line.alertEvent(`BUY ${randomUUID()}`));
  return (await line.claim(db, ["planner"])).find((work) => work.task_id === task_id)!;
};
const give = (works: StepWork[], more: Partial<StepWork> = {}) =>
  db.database.call<line.Answer[]>("return_steps", {
    p_leases: works.map(({ step_id, attempt, lease_token }) => ({
      step_id,
      attempt,
      lease_token,
      ...more,
    })),
    p_reason: "its worker is ending",
  });
const rowOf = async (work: StepWork) =>
  (await db.owner<Record<string, unknown>>(
    "select status, failures, attempt, last_error from public.task_steps where step_id = $1",
    [work.step_id],
  ))[0];
const lapse = (work: StepWork) =>
  db.owner(
    "update public.task_steps set lease_expires_at = private.now() - interval '1 second' where step_id = $1",
    [work.step_id],
  );

describe("a lease given back", () => {
  it("is refused from whoever does not hold it, and that is on record", async () => {
    const work = await fresh();
    for (const more of [{ attempt: 9 }, { lease_token: randomUUID() }]) {
      expect(await give([work], more)).toMatchObject([{ refused: "stale_lease" }]);
    }
    expect(await rowOf(work)).toMatchObject({ status: "running" });
    expect(await line.refusalsOf(db, `step:${work.step_id}`)).toEqual([
      "stale_lease",
      "stale_lease",
    ]);
    await give([work]);
  });

  it("is refused without a list or a reason", async () => {
    for (const args of [{ p_leases: {}, p_reason: "x" }, { p_leases: [], p_reason: "" }]) {
      expect(await db.database.call("return_steps", args)).toMatchObject({
        refused: "invalid_request",
      });
    }
  });

  it("is ready at once for the next, and counts as no failure", async () => {
    const work = await fresh();
    expect(await give([work])).toEqual([{ step_id: work.step_id, status: "ready" }]);
    expect(await rowOf(work)).toEqual({
      status: "ready",
      failures: 0,
      attempt: 1,
      last_error: "its worker is ending",
    });
    const [again] = await line.claim(db, ["planner"]);
    expect(again).toMatchObject({ step_id: work.step_id, attempt: 2 });
    // The old lease is worth nothing any more.
    expect((await line.plan(db, work)).refused).toBe("stale_lease");
    await give([again]);
  });

  it("stays with its holder while an effect is under way", async () => {
    const { work } = await line.approvedSignal(db);
    const { effect_id } = await line.reserve(db, work);
    await line.start(db, effect_id, work);
    expect(await give([work])).toEqual([{ step_id: work.step_id, status: "running" }]);
    expect(await line.confirm(db, effect_id, work)).toEqual({ status: "confirmed" });
  });
});

describe("the outcome of a call", () => {
  const outcome = (work: StepWork, more: Record<string, unknown> = {}) =>
    db.database.call<Record<string, unknown>>("call_outcome", { ...line.lease(work), ...more });

  it("is held, released and lost as the lease is", async () => {
    const work = await fresh();
    expect(await outcome(work)).toMatchObject({ lease: "held", step_status: "running" });
    expect(await outcome(work, { p_lease_token: randomUUID() })).toMatchObject({ lease: "lost" });
    expect(await outcome(work, { p_step_id: randomUUID() })).toMatchObject({ lease: "lost" });
    await give([work]);
    expect(await outcome(work)).toMatchObject({ lease: "released", step_status: "ready" });
    const [again] = await line.claim(db, ["planner"]);
    expect(await outcome(work)).toMatchObject({ lease: "lost" });
    await line.plan(db, again);
    expect(await outcome(again)).toMatchObject({ lease: "done" });
    expect(await outcome(work)).toMatchObject({ lease: "lost" });
  });

  it("tells where the effect stands, found by the step or by the effect", async () => {
    const { work } = await line.approvedSignal(db);
    const { effect_id } = await line.reserve(db, work);
    expect(await outcome(work)).toMatchObject({
      lease: "held",
      effect: { effect_id, status: "reserved" },
    });
    await line.start(db, effect_id, work);
    expect(await outcome(work, { p_step_id: null, p_effect_id: effect_id })).toMatchObject({
      step_id: work.step_id,
      effect: { effect_id, status: "sent" },
    });
  });

  it("changes nothing", async () => {
    const work = await fresh();
    const rows = () => db.owner("select count(*) as n from public.audit_logs");
    const before = await rows();
    await outcome(work);
    await db.database.call("look_for_work");
    expect(await rows()).toEqual(before);
    await give([work]);
  });
});

describe("looking for work", () => {
  interface Look {
    steps: boolean;
    effects: boolean;
    notifications: boolean;
    jobs: boolean;
    lapsed: boolean;
    wait_ms: number | null;
  }
  const look = () => db.database.call<Look>("look_for_work");

  it("names what is ready, what has lapsed, and when the next thing is due", async () => {
    await line.claim(db);
    await db.database.call("sweep");
    await db.owner("update public.jobs set next_run_at = private.now() + interval '1 hour'");
    expect(await look()).toMatchObject({ steps: false, jobs: false, lapsed: false });

    const { task_id } = await line.accept(db, line.alertEvent(`BUY ${randomUUID()}`));
    expect(await look()).toMatchObject({ steps: true });
    const work = (await line.claim(db, ["planner"])).find((step) => step.task_id === task_id)!;
    const held = await look();
    expect(held.steps).toBe(false);
    expect(held.wait_ms).toBeGreaterThan(10_000);
    expect(held.wait_ms).toBeLessThanOrEqual(30_000);

    await lapse(work);
    expect(await look()).toMatchObject({ lapsed: true, steps: false });
    expect(await db.database.call("reap")).toEqual({ reaped: 1 });
    expect(await look()).toMatchObject({ lapsed: false, steps: true });

    await db.owner(
      "update public.jobs set next_run_at = private.now() where job_name = 'reap_leases'",
    );
    expect(await look()).toMatchObject({ jobs: true });
  });

  it("is told of nothing that a paused consumer may not have", async () => {
    expect(await look()).toMatchObject({ steps: true });
    const pause = (paused: boolean) =>
      db.owner(
        "update public.event_consumers set paused = $1, paused_by = $2, pause_reason = $2, " +
          "paused_at = case when $1 then private.now() end where consumer = 'orchestrator'",
        [paused, paused ? "olga" : null],
      );
    await pause(true);
    expect(await look()).toMatchObject({ steps: false });
    await pause(false);
    expect(await look()).toMatchObject({ steps: true });
  });
});

it("a hint writes nothing", async () => {
  const rows = () => db.owner("select count(*) as n from public.audit_logs");
  const before = await rows();
  expect(await db.database.call("hint_work")).toEqual({ hinted: true });
  expect(await rows()).toEqual(before);
});
