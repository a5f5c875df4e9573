import { describe, expect, it } from "vitest";
import {
  accept,
  alertEvent,
  approvedSignal,
  claimPublish,
  decide,
  openCode,
  reserve,
  runToGate,
  signalAtGate,
  statusOf,
} from "../support/line.ts";
import { approvals, clock, db } from "./people.ts";

async function approved(): Promise<{ taskId: string; code: string }> {
  const taskId = await signalAtGate(db);
  const code = await openCode(db, taskId);
  await decide(db, "1001", code);
  return { taskId, code };
}

async function trade(): Promise<{ taskId: string; code: string }> {
  const event = alertEvent(`trade ${Math.random()}`, { source: "desk", action: "TRADE" });
  const { task_id } = await accept(db, event);
  await runToGate(db);
  return { taskId: task_id as string, code: await openCode(db, task_id as string) };
}

describe("a yes cannot be taken back", () => {
  it("once a worker has taken the publish step, nor once the effect is reserved", async () => {
    const { taskId, code, work } = await approvedSignal(db);
    expect(await decide(db, "1001", code, "reject")).toMatchObject({ refused: "request_closed" });
    expect(await reserve(db, work)).toMatchObject({ status: "reserved" });
    expect(await decide(db, "1001", code, "reject")).toMatchObject({ refused: "request_closed" });
    expect(await statusOf(db, taskId)).toBe("publishing");
    expect(await approvals(taskId)).toEqual([{ approver: "olga", decision: "approve" }]);
  });

  it("by somebody who did not give it, even in a role that could have", async () => {
    const { taskId, code } = await approved();
    expect(await decide(db, "1005", code, "reject")).toMatchObject({ refused: "request_closed" });
    expect(await statusOf(db, taskId)).toBe("running");
  });

  it("twice, nor a no at all", async () => {
    const { taskId, code } = await approved();
    await decide(db, "1001", code, "reject");
    for (const again of ["reject", "approve"] as const) {
      expect(await decide(db, "1001", code, again)).toMatchObject({ refused: "already_decided" });
    }
    expect(await approvals(taskId)).toHaveLength(2);
  });

  it("by a process with another policy", async () => {
    const { taskId, code } = await approved();
    const more = { policy_sha256: "0".repeat(64) };
    expect(await decide(db, "1001", code, "reject", more)).toMatchObject({
      refused: "policy_not_approved",
    });
    expect(await statusOf(db, taskId)).toBe("running");
  });

  it("from the expiry on, when it no longer counts anyway", async () => {
    const { taskId, code } = await approved();
    await clock.advance(15 * 60);
    expect(await decide(db, "1001", code, "reject")).toMatchObject({ refused: "request_expired" });
    expect(await statusOf(db, taskId)).toBe("rejected");
  });

  it("into a second yes and a second no: the table holds one of each", async () => {
    const { taskId } = await approved();
    const copy =
      `insert into public.approvals (task_id, step_id, tier, approver, decision, request_id, member_id, person_id, role, digest)
      select task_id, step_id, tier, approver, decision, request_id, member_id, person_id, role, digest
      from public.approvals where task_id = $1`;
    await expect(db.owner(copy, [taskId])).rejects.toThrow(
      /one_decision_of_a_kind_per_person_and_request/,
    );
  });
});

describe("a yes is taken back", () => {
  it("by a no before the publish step is taken: the task ends, and both stay on record", async () => {
    const { taskId, code } = await approved();
    expect(await decide(db, "1001", code, "reject")).toMatchObject({
      reply: "decided",
      decision: "reject",
      status: "rejected",
      task_status: "rejected",
    });
    expect(await claimPublish(db, taskId)).toBeNull();
    expect(await approvals(taskId)).toEqual([
      { approver: "olga", decision: "approve" },
      { approver: "olga", decision: "reject" },
    ]);
    const told = await db.owner<{ decision: string }>(
      "select payload_json ->> 'decision' as decision from public.events where task_id = $1 and type = 'APPROVAL_DECIDED' order by seq",
      [taskId],
    );
    expect(told).toEqual([{ decision: "approve" }, { decision: "reject" }]);
    const [{ filled }] = await db.owner<{ filled: boolean }>(
      "select private.slots_filled(request_id) as filled from public.approval_requests where task_id = $1",
      [taskId],
    );
    expect(filled).toBe(false);
  });

  it("though what was approved has changed since", async () => {
    const { taskId, code } = await approved();
    await db.owner(
      "update public.artifacts set content = 'all in' where task_id = $1 and type = 'post'",
      [taskId],
    );
    expect(await decide(db, "1001", code, "reject")).toMatchObject({ status: "rejected" });
    expect(await statusOf(db, taskId)).toBe("rejected");
  });

  it("while the second person is still asked, under another account of the same person, too", async () => {
    for (const account of ["1004", "1024"]) {
      const { taskId, code } = await trade();
      await decide(db, "1004", code);
      expect(await decide(db, account, code, "reject")).toMatchObject({ status: "rejected" });
      expect(await statusOf(db, taskId)).toBe("rejected");
      expect(await decide(db, "1002", code)).toMatchObject({ refused: "request_closed" });
    }
  });

  it("from a trade that waits, approved by two, for its effects to be switched on", async () => {
    const { taskId, code } = await trade();
    await decide(db, "1001", code);
    await decide(db, "1002", code);
    expect(await statusOf(db, taskId)).toBe("pending_exec");
    expect(await decide(db, "1002", code, "reject")).toMatchObject({ task_status: "rejected" });
  });

  it("from a post that was tried and will be tried again, as long as nothing is reserved", async () => {
    const { taskId, code, work } = await approvedSignal(db);
    await clock.advance(31);
    await db.database.call("sweep");
    expect(await decide(db, "1001", code, "reject")).toMatchObject({ status: "rejected" });
    expect(await reserve(db, work)).toMatchObject({ refused: "stale_lease" });
    expect(await statusOf(db, taskId)).toBe("rejected");
  });
});
