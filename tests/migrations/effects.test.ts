import { describe, expect, it } from "vitest";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  approvedSignal,
  claim,
  claimPublish,
  confirm,
  decide,
  fail,
  openCode,
  policy,
  refusalsOf,
  reserve,
  runToGate,
  start,
  statusOf,
} from "../support/line.ts";
import type { StepWork } from "../../functions/_domain/task.ts";
import { clock, db } from "./outbox.ts";

const effects = (taskId: string) =>
  db.owner<{ status: string }>("select status from public.effects where task_id = $1", [taskId])
    .then((rows) => rows.map(({ status }) => status));

async function answerAtGate(): Promise<StepWork> {
  await accept(db, alertEvent(`read ${Math.random()}`, { source: "desk", action: "READ" }));
  const effect = await runToGate(db);
  if (effect === null) throw new Error("no effect");
  return effect;
}

describe("an effect is not reserved", () => {
  it("by a lease that was lost", async () => {
    const { taskId, work } = await approvedSignal(db);
    for (
      const more of [{ p_attempt: work.attempt + 1 }, { p_lease_token: crypto.randomUUID() }, {
        p_step_id: crypto.randomUUID(),
      }]
    ) {
      expect(await reserve(db, work, more)).toMatchObject({ refused: "stale_lease" });
    }
    expect(await effects(taskId)).toEqual([]);
    expect(await refusalsOf(db, taskId)).toEqual(["stale_lease", "stale_lease"]);
  });

  it("by a process with another policy or none", async () => {
    const { work } = await approvedSignal(db);
    expect(await reserve(db, work, { p_policy_sha256: "0".repeat(64) })).toMatchObject({
      refused: "policy_not_approved",
    });
    expect(await reserve(db, work, { p_policy_sha256: null })).toMatchObject({
      refused: "policy_invalid",
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ["a record that would leave the house", { p_kind: "record", p_channel: "telegram" }],
    ["a post that would stay", { p_kind: "publish", p_channel: "internal" }],
    ["a record where people approved a post", { p_kind: "record", p_channel: "internal" }],
    ["no channel", { p_channel: null }],
    ["no kind", { p_kind: null }],
    ["a kind that nobody knows", { p_kind: "trade" }],
    ["a payload that is none", { p_payload: "text" }],
    ["a destination without end", { p_destination: "1".repeat(201) }],
  ])("as %s", async (_what, more) => {
    const { taskId, work } = await approvedSignal(db);
    expect(await reserve(db, work, more)).toMatchObject({ refused: "invalid_request" });
    expect(await effects(taskId)).toEqual([]);
  });

  it("by a step that is not the plan's effect", async () => {
    await accept(db, alertEvent(`read ${Math.random()}`, { source: "desk", action: "READ" }));
    const [plan] = await claim(db, ["planner"]);
    expect(await reserve(db, plan, { p_kind: "record", p_channel: "internal", p_payload: {} }))
      .toMatchObject({ refused: "invalid_request" });
    await fail(db, plan, "invalid_plan");
  });

  it("for an outside channel where nobody was asked", async () => {
    const work = await answerAtGate();
    expect(await reserve(db, work)).toMatchObject({ refused: "approval_missing" });
    expect(await reserve(db, work, { p_kind: "record", p_channel: "internal", p_payload: {} }))
      .toMatchObject({ status: "confirmed" });
  });

  it("for Telegram on a decision made locally; the console may have it", async () => {
    const { work } = await approvedSignal(db, "1001", { channel: "local-simulated" });
    expect(await reserve(db, work)).toMatchObject({ refused: "local_decision" });
    expect(await reserve(db, work, { p_channel: "console" })).toMatchObject({ status: "reserved" });
  });

  it("when the approval has lapsed, to the millisecond", async () => {
    const { taskId, work } = await approvedSignal(db);
    await clock.advance(15 * 60 - 0.001);
    const other = await db.owner<{ left: boolean }>(
      "select private.now() < expires_at as left from public.approval_requests where task_id = $1",
      [taskId],
    );
    expect(other).toEqual([{ left: true }]);
    await clock.advance(0.001);
    expect(await reserve(db, work)).toMatchObject({ refused: "request_expired" });
    expect(await fail(db, work, "request_expired")).toMatchObject({ task_status: "rejected" });
  });

  it("when its approver was removed: another is asked", async () => {
    await addMember(db, "operator", "brief", "1009");
    const { taskId, work } = await approvedSignal(db, "1009");
    await db.as("administrator", "select api.remove_member('brief', 'test')");
    expect(await reserve(db, work)).toMatchObject({ refused: "approval_missing" });
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
    expect(await decide(db, "1001", await openCode(db, taskId))).toMatchObject({
      status: "approved",
    });
    expect(await reserve(db, (await claimPublish(db, taskId))!)).toMatchObject({
      status: "reserved",
    });
  });

  it("when its approver has another role now", async () => {
    await addMember(db, "operator", "moved", "1019");
    const { work } = await approvedSignal(db, "1019");
    await db.owner("update public.members set role = 'reviewer' where name = 'moved'");
    expect(await reserve(db, work)).toMatchObject({ refused: "approval_missing" });
  });

  it("without the critic's pass, whoever forged the way there", async () => {
    const { taskId, work } = await approvedSignal(db);
    await db.owner("alter table public.evaluations disable trigger user");
    await db.owner("delete from public.evaluations where task_id = $1", [taskId]);
    await db.owner("alter table public.evaluations enable trigger user");
    expect(await reserve(db, work)).toMatchObject({ refused: "evaluation_missing" });
  });

  it("twice: a reservation is found again while nothing has left, and refused after", async () => {
    const { taskId, work } = await approvedSignal(db);
    const first = await reserve(db, work);
    expect(await reserve(db, work)).toMatchObject({
      effect_id: first.effect_id,
      status: "reserved",
      payload: { text: expect.any(String) },
    });
    await start(db, first.effect_id, work);
    expect(await reserve(db, work)).toMatchObject({ refused: "effect_exists", status: "sent" });
    expect(await effects(taskId)).toEqual(["sent"]);
  });
});

describe("a sent effect", () => {
  it("is confirmed by the holder of its lease only, and once", async () => {
    const { work } = await approvedSignal(db);
    const { effect_id } = await reserve(db, work);
    expect(await confirm(db, effect_id, work)).toMatchObject({ refused: "stale_lease" });
    await start(db, effect_id, work);
    expect(await start(db, effect_id, work)).toMatchObject({ refused: "stale_lease" });
    expect(await confirm(db, effect_id, { ...work, lease_token: crypto.randomUUID() }))
      .toMatchObject({ refused: "stale_lease" });
    expect(await confirm(db, effect_id, work, "perhaps")).toMatchObject({
      refused: "invalid_request",
    });
    expect(await confirm(db, crypto.randomUUID(), work)).toMatchObject({ refused: "stale_lease" });
    expect(await confirm(db, effect_id, work)).toEqual({ status: "confirmed" });
    expect(await confirm(db, effect_id, work)).toMatchObject({ refused: "stale_lease" });
  });

  it("that the receiver certainly did not take waits as long as it says, and goes out once", async () => {
    const { taskId, work } = await approvedSignal(db);
    const { effect_id } = await reserve(db, work);
    await start(db, effect_id, work);
    expect(await confirm(db, effect_id, work, "not_sent", { retry_after: 40, error: "429" }))
      .toEqual({ status: "reserved" });
    await clock.advance(39.999);
    expect(await claimPublish(db, taskId)).toBeNull();
    await clock.advance(0.001);
    const next = (await claimPublish(db, taskId))!;
    expect(await reserve(db, next)).toMatchObject({ effect_id });
    await start(db, effect_id, next);
    await confirm(db, effect_id, next);
    const sent = await db.owner(
      "select 1 from public.events where task_id = $1 and type in ('EFFECT_SENT')",
      [taskId],
    );
    expect(sent).toHaveLength(2);
    expect(
      await db.owner("select 1 from public.events where task_id = $1 and type = 'PUBLISH_OK'", [
        taskId,
      ]),
    ).toHaveLength(1);
  });

  it("whose receiver pauses past the expiry is not sent any more, and its task ends", async () => {
    const { taskId, work } = await approvedSignal(db);
    const { effect_id } = await reserve(db, work);
    await start(db, effect_id, work);
    await confirm(db, effect_id, work, "not_sent", { retry_after: 1e300 });
    await clock.advance(86400);
    const next = (await claimPublish(db, taskId))!;
    await reserve(db, next);
    expect(await start(db, effect_id, next)).toMatchObject({ refused: "request_expired" });
    expect([await effects(taskId), await statusOf(db, taskId)]).toEqual([["failed"], "rejected"]);
  });

  it("that the receiver refuses for good ends its task", async () => {
    const { taskId, work } = await approvedSignal(db);
    const { effect_id } = await reserve(db, work);
    await start(db, effect_id, work);
    expect(await confirm(db, effect_id, work, "failed", { error: "chat not found" })).toEqual({
      status: "failed",
    });
    expect(await statusOf(db, taskId)).toBe("failed");
  });
});

it("a policy that asks for more people leaves a T1 result unrecorded until they are asked", async () => {
  const work = await answerAtGate();
  await activate(db, "asks for reads", {
    ...policy,
    approvals: { ...policy.approvals, T0: ["operator_approval"] },
  });
  const [{ sha }] = await db.owner<{ sha: string }>("select private.active_policy_sha256() as sha");
  expect(
    await reserve(db, work, {
      p_kind: "record",
      p_channel: "internal",
      p_payload: {},
      p_policy_sha256: sha,
    }),
  ).toMatchObject({ refused: "approval_missing" });
  await activate(db);
});
