import { describe, expect, it } from "vitest";
import {
  activate,
  addMember,
  type Answer,
  decide,
  decideUpdate,
  handle,
  openCode,
  policy,
  refusalsOf,
  signalAtGate,
  statusOf,
  update,
} from "../support/line.ts";
import { approvals, clock, db } from "./people.ts";

async function refusedOn(taskId: string, answer: Answer, code: string): Promise<void> {
  expect(answer).toMatchObject({ reply: "refused", refused: code });
  expect(await approvals(taskId)).toEqual([]);
  expect(await refusalsOf(db, taskId)).toContain(code);
}

describe("a decision is refused", () => {
  it("when no request has this code", async () => {
    expect(await decide(db, "1001", "T2-20260101-9999")).toMatchObject({
      refused: "unknown_request",
    });
    expect(
      await handle(
        db,
        update("1001", { type: "button", nonce: "0".repeat(32), decision: "approve" }),
      ),
    )
      .toMatchObject({ refused: "unknown_request" });
    expect(await handle(db, update("1001", { type: "approve", decision: "approve" })))
      .toMatchObject({ refused: "unknown_request" });
  });

  it("when it is neither yes nor no", async () => {
    const taskId = await signalAtGate(db);
    for (const decision of ["maybe", null, "APPROVE"]) {
      const answer = await handle(
        db,
        update("1001", { type: "approve", code: await openCode(db, taskId), decision }),
      );
      expect(answer).toMatchObject({ refused: "invalid_request" });
    }
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
  });

  it("to a stranger, who is told nothing", async () => {
    const taskId = await signalAtGate(db);
    const answer = await decide(db, "6666", await openCode(db, taskId));
    expect(answer.refused).toBe("not_a_member");
    expect(answer).not.toHaveProperty("reply");
    expect(await approvals(taskId)).toEqual([]);
  });

  it("to a reviewer, and to an owner where the policy asks an operator", async () => {
    const taskId = await signalAtGate(db);
    for (const from of ["1003", "1002"]) {
      await refusedOn(taskId, await decide(db, from, await openCode(db, taskId)), "wrong_role");
    }
  });

  it("to a reviewer even under a policy that names that role", async () => {
    const taskId = await signalAtGate(db);
    await activate(db, "laxer", {
      ...policy,
      roles: { ...policy.roles, operator_approval: ["operator", "reviewer"] },
    });
    const [{ sha }] = await db.owner<{ sha: string }>(
      "select private.active_policy_sha256() as sha",
    );
    await refusedOn(
      taskId,
      await decide(db, "1003", await openCode(db, taskId), "approve", { policy_sha256: sha }),
      "wrong_role",
    );
    await activate(db);
  });

  it.each([
    ["by name", "tradingview:tom"],
    ["by Telegram id", "telegram:1004"],
    ["by the Telegram id of another account", "telegram:1014"],
  ])("to whoever asked, known %s, under each of their accounts", async (_how, actor) => {
    const taskId = await signalAtGate(db, { actor });
    for (const from of ["1004", "1014"]) {
      await refusedOn(taskId, await decide(db, from, await openCode(db, taskId)), "self_approval");
    }
    expect(await decide(db, "1001", await openCode(db, taskId))).toMatchObject({
      reply: "decided",
    });
  });

  it("to a requester who became a member only afterwards", async () => {
    const taskId = await signalAtGate(db, { actor: "telegram:7001" });
    await addMember(db, "operator", "newcomer", "7001");
    await refusedOn(taskId, await decide(db, "7001", await openCode(db, taskId)), "self_approval");
  });

  it("to a requester who left and came back under another name", async () => {
    await addMember(db, "operator", "leaver", "7002");
    const taskId = await signalAtGate(db, { actor: "tradingview:leaver" });
    await db.as("administrator", "select api.remove_member('leaver', 'test')");
    await addMember(db, "operator", "comeback", "7002");
    await refusedOn(taskId, await decide(db, "7002", await openCode(db, taskId)), "self_approval");
  });

  it.each([[-0.001, "decided"], [0, "refused"]])(
    "from the millisecond of its expiry on (%s s: %s)",
    async (offset, reply) => {
      const taskId = await signalAtGate(db);
      await clock.advance(15 * 60 + offset);
      const answer = await decide(db, "1001", await openCode(db, taskId));
      expect(answer.reply).toBe(reply);
      if (reply === "refused") {
        expect(answer.refused).toBe("request_expired");
        expect(await statusOf(db, taskId)).toBe("rejected");
        expect(await approvals(taskId)).toEqual([]);
      }
    },
  );

  it("after somebody else's no", async () => {
    const taskId = await signalAtGate(db);
    const code = await openCode(db, taskId);
    expect(await decide(db, "1001", code, "reject")).toMatchObject({
      status: "rejected",
      task_status: "rejected",
    });
    expect(await decide(db, "1005", code)).toMatchObject({ refused: "request_closed" });
    expect(await approvals(taskId)).toEqual([{ approver: "olga", decision: "reject" }]);
  });

  it("when it is tapped twice, and when its update comes twice", async () => {
    const taskId = await signalAtGate(db);
    const intent = {
      type: "approve",
      code: await openCode(db, taskId),
      decision: "approve",
      reason: null,
    };
    const first = update("1001", intent);
    expect(await decideUpdate(db, first)).toMatchObject({
      outcome: "recorded",
      status: "approved",
    });
    expect(await decideUpdate(db, first)).toEqual({ outcome: "duplicate" });
    expect(await decideUpdate(db, update("1001", intent))).toMatchObject({
      refused: "already_decided",
    });
    expect(await approvals(taskId)).toHaveLength(1);
  });

  it("by a process with another policy, or with none", async () => {
    const taskId = await signalAtGate(db);
    const code = await openCode(db, taskId);
    await refusedOn(
      taskId,
      await decide(db, "1001", code, "approve", { policy_sha256: "0".repeat(64) }),
      "policy_not_approved",
    );
    await refusedOn(
      taskId,
      await decide(db, "1001", code, "approve", { policy_sha256: null }),
      "policy_invalid",
    );
  });

  it("by two missing policies, which are not one policy", async () => {
    const taskId = await signalAtGate(db);
    await db.owner("update public.policies set status = 'retired'");
    await refusedOn(
      taskId,
      await decide(db, "1001", await openCode(db, taskId), "approve", { policy_sha256: null }),
      "policy_invalid",
    );
    await activate(db);
  });

  it("outside the member's own chat, and when the door found the sender not personal", async () => {
    const taskId = await signalAtGate(db);
    const code = await openCode(db, taskId);
    for (
      const answer of [
        await decide(db, "1001", code, "approve", { chat_id: "-100500" }),
        await handle(db, update("1001", { type: "refused", code: "sender_not_personal" })),
        await handle(
          db,
          update("1001", { type: "approve", code, decision: "approve" }, { from_id: null }),
        ),
      ]
    ) expect(answer).toMatchObject({ refused: "sender_not_personal" });
    expect(await approvals(taskId)).toEqual([]);
  });

  it("on the button of a card whose request was replaced", async () => {
    const taskId = await signalAtGate(db);
    const [{ nonce }] = await db.owner<{ nonce: string }>(
      "select nonce from public.approval_requests where task_id = $1",
      [taskId],
    );
    await activate(db, "another text", policy);
    const tap = () =>
      handle(
        db,
        update("1001", { type: "button", nonce, decision: "approve" }, { policy_sha256: sha }),
      );
    const [{ sha }] = await db.owner<{ sha: string }>(
      "select private.active_policy_sha256() as sha",
    );
    expect(await tap()).toMatchObject({ refused: "digest_drift" });
    expect(await tap()).toMatchObject({ refused: "request_closed" });
    const code = await openCode(db, taskId);
    expect(await decide(db, "1001", code, "approve", { policy_sha256: sha })).toMatchObject({
      status: "approved",
    });
    await activate(db);
  });
});
