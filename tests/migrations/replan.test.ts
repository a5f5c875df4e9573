import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  activate,
  addMember,
  claimPublish,
  decide,
  openCode,
  post,
  refusalsOf,
  reserve,
  runToGate,
  signalAtGate,
  statusOf,
} from "../support/line.ts";
import { claim, complete, resultOf } from "../support/line.ts";
import { administer } from "../support/personas.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
  await addMember(db, "operator", "otto", "1003");
});
afterAll(() => db.close());

const replan = (taskId: string, reason = "the source was corrected") =>
  administer(db, "replan_task($1, $2, 'rita')", [taskId, reason]);

const requests = (taskId: string) =>
  db.owner<{ code: string; status: string }>(
    "select code, status from public.approval_requests where task_id = $1 order by requested_at, code",
    [taskId],
  );

/** The line once more, the trader saying something else this time. */
async function runToGateWith(text: string): Promise<void> {
  for (let round = 0; round < 10; round++) {
    const work = await claim(db, ["researcher", "retriever", "trader", "critic"]);
    if (work.length === 0) return;
    for (const step of work) {
      const result = resultOf(step) as Record<string, unknown>;
      await complete(db, step, step.node_id === "act" ? { ...result, post: text } : result);
    }
  }
}

describe("work is not done anew", () => {
  it("without a reason, for a task that does not exist, or by anybody but the administrator", async () => {
    const taskId = await signalAtGate(db);
    expect(await replan(taskId, "")).toMatchObject({ refused: "invalid_request" });
    expect(await replan("T-2000-01-01-0001")).toMatchObject({ refused: "not_found" });
    for (const role of ["service_role", "auditor", "anon", "authenticated"]) {
      await expect(db.as(role, "select api.replan_task($1, 'x', 'x')", [taskId]))
        .rejects.toThrow(/permission denied/);
    }
  });

  it("once a worker has taken the effect in hand, or where nobody was asked yet", async () => {
    const taskId = await signalAtGate(db);
    await decide(db, "1001", await openCode(db, taskId));
    await claimPublish(db, taskId);
    expect(await replan(taskId)).toMatchObject({ refused: "illegal_transition" });
    expect(await refusalsOf(db, taskId)).toEqual(["illegal_transition"]);
  });
});

describe("work that is done anew", () => {
  it("with the same result keeps the question that is open: same code, no second card", async () => {
    const taskId = await signalAtGate(db);
    const before = await requests(taskId);
    expect(await replan(taskId)).toEqual({ task_id: taskId, status: "running" });
    await runToGate(db);
    expect(await requests(taskId)).toEqual(before);
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
    expect(
      await db.owner(
        "select recipient from public.notifications where task_id = $1 and kind = 'approval_card'",
        [taskId],
      ),
    ).toHaveLength(2);
  });

  it("with the same result keeps the yes that was given, and goes on by itself", async () => {
    const taskId = await signalAtGate(db);
    await decide(db, "1001", await openCode(db, taskId));
    await replan(taskId);
    await runToGate(db);
    const work = await claimPublish(db, taskId);
    expect(await reserve(db, work!)).toMatchObject({ status: "reserved" });
    expect(await requests(taskId)).toMatchObject([{ status: "consumed" }]);
  });

  it("with another result voids the yes and asks again, and the new text alone can be published", async () => {
    const taskId = await signalAtGate(db);
    await decide(db, "1001", await openCode(db, taskId));
    await replan(taskId);
    await runToGateWith("BTCUSDT short");
    expect(await requests(taskId)).toMatchObject([{ status: "superseded" }, { status: "open" }]);
    expect(await claimPublish(db, taskId)).toBeNull();
    await decide(db, "1003", await openCode(db, taskId));
    const work = await claimPublish(db, taskId);
    expect(await reserve(db, work!)).toMatchObject({ refused: "digest_drift" });
    expect(await reserve(db, work!, { p_payload: { text: "BTCUSDT short" } }))
      .toMatchObject({ status: "reserved" });
    expect(post).not.toBe("BTCUSDT short");
  });

  it("is decided on by nobody while it is under way", async () => {
    const taskId = await signalAtGate(db);
    const code = await openCode(db, taskId);
    await replan(taskId);
    expect(await decide(db, "1001", code)).toMatchObject({ refused: "replanning" });
    await runToGate(db);
    expect(await decide(db, "1001", code)).toMatchObject({ status: "approved" });
  });
});
