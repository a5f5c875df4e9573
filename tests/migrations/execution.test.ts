import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StepWork } from "../../functions/_domain/task.ts";
import {
  archive,
  claim,
  complete,
  fail,
  lease,
  marks,
  reserve,
  resultOf,
  statusOf,
} from "../support/line.ts";
import { act, batch, clock, db, item, record, stepOf, task, twins } from "./read-task.ts";

describe("steps", () => {
  it("two parents that finish in one batch free their child once", async () => {
    const taskId = await task(twins);
    const parents = await claim(db);
    expect(parents.map(({ node_id }) => node_id).sort()).toEqual(["left", "right"]);
    await batch(parents.map((work) => item(work)));
    expect(await stepOf(taskId, "act")).toMatchObject({ status: "ready" });
    expect(
      await db.owner(
        "select 1 from public.events where task_id = $1 and type = 'STEP_READY' and payload_json ->> 'node_id' = 'act'",
        [taskId],
      ),
    ).toHaveLength(1);
  });

  it("are not claimed by two, and never for a person", async () => {
    await task([act]);
    expect(await claim(db)).toHaveLength(1);
    expect(await claim(db)).toEqual([]);
    expect(await claim(db, ["human"])).toEqual([]);
  });

  it("fail for good at the third failure, and so does their task", async () => {
    const taskId = await task([act]);
    for (const [attempt, status] of [[1, "ready"], [2, "ready"], [3, "failed"]] as const) {
      const [work] = await claim(db);
      expect(work.attempt).toBe(attempt);
      expect(await fail(db, work)).toMatchObject({ status });
      // Not at once: a dependency that is down gets a moment.
      expect(await claim(db)).toEqual([]);
      await clock.advance(61);
    }
    expect(await statusOf(db, taskId)).toBe("failed");
    expect(await claim(db)).toEqual([]);
  });

  it("whose lease is lost three times end as well", async () => {
    const taskId = await task([act]);
    for (let i = 0; i < 3; i++) {
      expect(await claim(db)).toHaveLength(1);
      await clock.advance(31);
      expect(await db.database.call("sweep")).toMatchObject({ reap_leases: 1 });
    }
    expect([await statusOf(db, taskId), (await stepOf(taskId, "act")).failures]).toEqual([
      "failed",
      3,
    ]);
  });

  it("keep a lease that is extended, and wait without counting for a policy to be activated", async () => {
    const taskId = await task([act]);
    const [work] = await claim(db);
    await clock.advance(29);
    expect(await db.database.call("extend_lease", lease(work))).toEqual({ status: "running" });
    await clock.advance(29);
    expect(await db.database.call("sweep")).toMatchObject({ reap_leases: 0 });
    expect(await fail(db, work, "policy_not_active")).toMatchObject({ status: "ready" });
    expect(await stepOf(taskId, "act")).toMatchObject({ failures: 0 });
  });

  it("released at a restart have not failed", async () => {
    const taskId = await task([act]);
    await claim(db);
    expect(await db.as("administrator", "select api.release_leases('start') as answer"))
      .toMatchObject([{ answer: { released: 1 } }]);
    expect(await stepOf(taskId, "act")).toMatchObject({ status: "ready", failures: 0 });
  });

  it("beside one that fails for good are cancelled, and their late results refused", async () => {
    const taskId = await task(twins);
    const [one, other] = await claim(db);
    expect(await fail(db, one, "tool_denied")).toMatchObject({ task_status: "failed" });
    expect(await complete(db, other, resultOf(other))).toMatchObject([{ refused: "stale_lease" }]);
    expect(
      await db.owner(
        "select 1 from public.task_steps where task_id = $1 and status in ('pending', 'ready', 'running')",
        [taskId],
      ),
    ).toEqual([]);
  });

  it("beside the critic are cancelled by its no, in the same batch too", async () => {
    const taskId = await task([act, {
      id: "aside",
      agent: "researcher",
      after: ["plan"],
      action: "RESEARCH",
    }]);
    // The side branch is a parent of the critic; one that is not would be no plan at all.
    const first = await claim(db);
    await batch(first.map((work) => item(work)));
    const [critic] = await claim(db);
    expect(await complete(db, critic, resultOf(critic, { ...marks, risk: 0 }))).toMatchObject([{
      status: "done",
    }]);
    expect(await statusOf(db, taskId)).toBe("rejected");
    expect(await claim(db)).toEqual([]);
  });

  it("of one broken task do not keep the reaper from the others", async () => {
    const [broken, fine] = [await task([act]), await task([act])];
    await claim(db);
    await db.owner(
      "update public.task_steps set failures = 2 where task_id = $1 and node_id = 'act'",
      [broken],
    );
    await db.owner("alter table public.tasks disable trigger user");
    await db.owner(
      "update public.tasks set status = 'cancelled', ended_at = now() where task_id = $1",
      [broken],
    );
    await db.owner("alter table public.tasks enable trigger user");
    await clock.advance(31);
    await db.database.call("sweep");
    expect(await stepOf(fine, "act")).toMatchObject({ status: "ready" });
    await db.owner(
      "update public.task_steps set lease_expires_at = '2099-01-01' where task_id = $1 and status = 'running'",
      [broken],
    );
  });
});

describe("any plan", () => {
  const dag = fc.integer({ min: 1, max: 9 }).chain((size) =>
    fc.tuple(
      ...Array.from({ length: size }, (_, i) =>
        fc.subarray(Array.from({ length: i }, (_, j) => `n${j}`))),
    )
  );

  it("runs each step after all it waits for, once, and ends", async () => {
    await fc.assert(
      fc.asyncProperty(dag, fc.infiniteStream(fc.nat()), async (afters, dice) => {
        const rolls = dice[Symbol.iterator]();
        const roll = (n: number) => rolls.next().value! % n;
        const middle = afters.map((after, i) => ({
          id: `n${i}`,
          agent: "researcher",
          after: after.length ? after : ["plan"],
          action: "RESEARCH",
        }));
        // The critic reads the act: the last before it.
        const parents = new Set(middle.flatMap(({ after }) => after));
        const taskId = await task([...middle, {
          ...act,
          after: middle.filter(({ id }) => !parents.has(id)).map(({ id }) => id),
        }]);
        const done = new Set(["plan"]);
        const held: StepWork[] = [];
        for (let round = 0; round < 80 && await statusOf(db, taskId) !== "archived"; round++) {
          held.push(...await claim(db));
          await clock.advance(0.01);
          if (held.length === 0) continue;
          const some = held.splice(0, 1 + roll(held.length));
          for (const { node_id } of some) {
            for (const parent of middle.find(({ id }) => id === node_id)?.after ?? []) {
              expect(done).toContain(parent);
            }
            expect(done).not.toContain(node_id);
          }
          const effect = some.find(({ node_id }) => node_id === "publish");
          const last = some.find(({ node_id }) => node_id === "archive");
          if (effect) await reserve(db, effect, record);
          else if (last) await archive(db, last);
          else if (roll(6) === 0) {
            await clock.advance(31);
            await db.database.call("sweep");
            held.length = 0;
            continue;
          } else {expect((await batch(some.map((work) =>
              item(work)
            ))).filter(({ refused }) => refused)).toEqual([]);}
          for (const { node_id } of some) done.add(node_id);
        }
        expect(["archived", "failed"]).toContain(await statusOf(db, taskId));
        expect(
          await db.owner(
            "select 1 from public.task_steps where task_id = $1 and status not in ('done', 'skipped', 'failed', 'cancelled')",
            [taskId],
          ),
        ).toEqual([]);
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
