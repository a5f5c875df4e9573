import { describe, expect, it } from "vitest";
import {
  type Answer,
  approvedSignal,
  archive,
  claim,
  claimPublish,
  confirm,
  fail,
  reserve,
  start,
  statusOf,
} from "../support/line.ts";
import type { StepWork } from "../../functions/_domain/task.ts";
import { clock, db } from "./outbox.ts";

const effects = (taskId: string) =>
  db.owner<{ status: string }>("select status from public.effects where task_id = $1", [taskId])
    .then((rows) => rows.map(({ status }) => status));
const step = async (work: StepWork) =>
  (await db.owner<{ status: string; failures: number }>(
    "select status, failures from public.task_steps where step_id = $1",
    [work.step_id],
  ))[0];
const reap = async () => {
  await clock.advance(91);
  await db.database.call("sweep");
};

describe("a worker that dies", () => {
  it("before it reserves leaves the step to the next", async () => {
    const { taskId, work } = await approvedSignal(db);
    await reap();
    expect(await step(work)).toEqual({ status: "ready", failures: 1 });
    expect(await reserve(db, work)).toMatchObject({ refused: "stale_lease" });
    expect(await reserve(db, (await claimPublish(db, taskId))!)).toMatchObject({
      status: "reserved",
    });
  });

  it("between reserving and sending leaves the reservation to the next", async () => {
    const { taskId, work } = await approvedSignal(db);
    const { effect_id } = await reserve(db, work);
    await reap();
    expect(await start(db, effect_id, work)).toMatchObject({ refused: "stale_lease" });
    const next = (await claimPublish(db, taskId))!;
    expect(await reserve(db, next)).toMatchObject({ effect_id, status: "reserved" });
    await start(db, effect_id, next);
    expect(await confirm(db, effect_id, next)).toEqual({ status: "confirmed" });
    expect(await effects(taskId)).toEqual(["confirmed"]);
  });

  it("leaves a reservation that goes where the next worker sends, and the row says so", async () => {
    const { taskId, work } = await approvedSignal(db);
    await reserve(db, work);
    await reap();
    const next = (await claimPublish(db, taskId))!;
    await reserve(db, next, { p_channel: "console", p_destination: "console" });
    expect(
      await db.owner("select channel, destination from public.effects where task_id = $1", [
        taskId,
      ]),
    )
      .toEqual([{ channel: "console", destination: "console" }]);
  });

  it.each([
    ["is reaped", reap],
    ["is restarted", () => db.as("administrator", "select api.release_leases('start')")],
  ])(
    "after sending leaves an unknown outcome when it %s: nothing is ever sent again",
    async (_how, recover) => {
      const { taskId, work } = await approvedSignal(db);
      const { effect_id } = await reserve(db, work);
      await start(db, effect_id, work);
      await recover();
      expect([
        await step(work).then(({ status }) => status),
        await effects(taskId),
        await statusOf(db, taskId),
      ]).toEqual(["stale", ["unknown"], "paused"]);
      for (let i = 0; i < 3; i++) {
        await reap();
        expect(await claimPublish(db, taskId)).toBeNull();
      }
      expect(await confirm(db, effect_id, work)).toMatchObject({ refused: "stale_lease" });
      expect(await effects(taskId)).toEqual(["unknown"]);
      // What the latecomer saw is kept for the person who settles it.
      expect(
        await db.owner(
          "select after_json #>> '{receipt,message_id}' as id from public.audit_logs where task_id = $1 and code = 'stale_lease'",
          [taskId],
        ),
      ).toEqual([{ id: "7" }]);
      expect(
        await db.owner(
          "select distinct recipient from public.notifications where task_id = $1 and payload_json ->> 'topic' = 'effect_unknown' order by 1",
          [taskId],
        ),
      )
        .toEqual([{ recipient: "1001" }, { recipient: "1002" }]);
    },
  );

  it("and says so after sending, has an unknown outcome too, not a failure to try again", async () => {
    const { taskId, work } = await approvedSignal(db);
    const { effect_id } = await reserve(db, work);
    await start(db, effect_id, work);
    expect(await fail(db, work, "unavailable")).toMatchObject({
      status: "stale",
      task_status: "paused",
    });
    expect(await effects(taskId)).toEqual(["unknown"]);
  });
});

describe("an unknown outcome", () => {
  const unknown = async () => {
    const { taskId, work } = await approvedSignal(db);
    const { effect_id } = await reserve(db, work);
    await start(db, effect_id, work);
    await confirm(db, effect_id, work, "unknown", {});
    return { taskId, effectId: effect_id as string };
  };
  const settle = async (
    effectId: string,
    outcome: string | null,
    reason: string | null = "looked at the chat",
  ) =>
    (await db.as<{ answer: Answer }>(
      "administrator",
      "select api.settle_effect($1, $2, $3, 'owner:oskar') as answer",
      [effectId, outcome, reason],
    ))[0].answer;

  it("is not settled without a reason, as something else, or when it is known", async () => {
    const { effectId } = await unknown();
    expect(await settle(effectId, "sent")).toMatchObject({ refused: "invalid_request" });
    expect(await settle(effectId, null)).toMatchObject({ refused: "invalid_request" });
    expect(await settle(effectId, "confirmed", "")).toMatchObject({ refused: "invalid_request" });
    expect(await settle(crypto.randomUUID(), "confirmed")).toMatchObject({ refused: "not_found" });
    await settle(effectId, "failed");
    expect(await settle(effectId, "confirmed")).toMatchObject({ refused: "illegal_transition" });
  });

  it("settled as confirmed goes on to the archive, in the name of who looked", async () => {
    const { taskId, effectId } = await unknown();
    expect(await settle(effectId, "confirmed")).toMatchObject({
      status: "confirmed",
      task_status: "publishing",
    });
    const last = (await claim(db, ["orchestrator"])).find(({ task_id }) => task_id === taskId)!;
    expect(await archive(db, last)).toEqual({ status: "archived" });
    expect(
      await db.owner(
        "select actor from public.audit_logs where task_id = $1 and action = 'effect.settle' and object like 'effect:%'",
        [taskId],
      ),
    )
      .toEqual([{ actor: "owner:oskar" }]);
  });

  it("settled as failed ends its task", async () => {
    const { taskId, effectId } = await unknown();
    expect(await settle(effectId, "failed")).toMatchObject({ task_status: "failed" });
    expect(await statusOf(db, taskId)).toBe("failed");
  });
});

describe("the archive", () => {
  it("refuses a lost lease, a task without its effect, and chunks that do not fit", async () => {
    const { taskId, work } = await approvedSignal(db);
    const { effect_id } = await reserve(db, work);
    await start(db, effect_id, work);
    expect(await archive(db, work)).toMatchObject({ refused: "stale_lease" });
    await confirm(db, effect_id, work);
    const last = (await claim(db, ["orchestrator"])).find(({ task_id }) => task_id === taskId)!;
    expect(await archive(db, { ...last, attempt: 9 })).toMatchObject({ refused: "stale_lease" });
    const embedding = Array(384).fill(0.1);
    for (
      const chunks of [
        null,
        {},
        [{ content: "x" }],
        [{ content: "x", embedding: [1, 2] }],
        [{ content: "x", embedding: Array(384).fill("1") }],
        [{ content: "x".repeat(16385), embedding }],
        [{ symbol: "S".repeat(65), content: "x", embedding }],
        Array(65).fill({ content: "x", embedding }),
      ]
    ) {
      expect(await archive(db, last, chunks as unknown[])).toMatchObject({
        refused: "invalid_request",
      });
    }
    expect(await archive(db, last, [{ content: "x", embedding, symbol: null }])).toEqual({
      status: "archived",
    });
    expect(await archive(db, last)).toMatchObject({ refused: "stale_lease" });
  });
});
