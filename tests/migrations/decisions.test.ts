import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { type FrozenClock, freezeClock } from "../support/clock.ts";
import {
  accept, activate, addMember, alertEvent, type Answer, claimPublish, decide, handle, openCode, policy, refusalsOf, reserve,
  runToGate, signalAtGate, statusOf, update,
} from "../support/line.ts";

let db: TestDatabase;
let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  for (const [role, name, telegram, person] of [
    ["operator", "olga", "1001"],
    ["owner", "oskar", "1002"],
    ["reviewer", "rita", "1003"],
    ["operator", "tom", "1004"],
    ["operator", "tom-phone", "1014", "tom"],
    ["owner", "tom-owner", "1024", "tom"],
    ["operator", "pia", "1005"],
  ]) await addMember(db, role, name, telegram, person);
  clock = await freezeClock(db, "2027-05-01T10:00:00Z");
});
beforeEach(async () => {
  await clock.advance(3600);
  await activate(db);
});
afterAll(() => db.close());

const approvals = (taskId: string) =>
  db.owner<{ approver: string; decision: string }>("select approver, decision from public.approvals where task_id = $1 order by ts, approver", [taskId]);

const claimNotifications = () =>
  db.database.call<{ notification_id: string; task_id: string; kind: string }[]>("claim_notifications", { p_worker: "t", p_limit: 100 });

async function deliverAll(): Promise<void> {
  for (let claimed = await claimNotifications(); claimed.length > 0; claimed = await claimNotifications()) {
    await db.database.call("complete_notifications", {
      p_results: claimed.map(({ notification_id }) => ({ notification_id, outcome: "sent", message_id: "5", channel: "telegram" })),
    });
  }
}

async function trade(more: Record<string, unknown> = {}): Promise<{ taskId: string; code: string }> {
  const { task_id } = await accept(db, alertEvent(`trade ${Math.random()}`, { source: "desk", action: "TRADE", ...more }));
  await runToGate(db);
  const taskId = task_id as string;
  return { taskId, code: await openCode(db, taskId) };
}

async function refusedOn(taskId: string, answer: Answer, code: string): Promise<void> {
  expect(answer).toMatchObject({ reply: "refused", refused: code });
  expect(await approvals(taskId)).toEqual([]);
  expect(await refusalsOf(db, taskId)).toContain(code);
}

describe("a decision is refused", () => {
  it("when no request has this code", async () => {
    expect(await decide(db, "1001", "T2-20260101-9999")).toMatchObject({ refused: "unknown_request" });
    expect(await handle(db, update("1001", { type: "button", nonce: "0".repeat(32), decision: "approve" })))
      .toMatchObject({ refused: "unknown_request" });
    expect(await handle(db, update("1001", { type: "approve", decision: "approve" }))).toMatchObject({ refused: "unknown_request" });
  });

  it("when it is neither yes nor no", async () => {
    const taskId = await signalAtGate(db);
    for (const decision of ["maybe", null, "APPROVE"]) {
      const answer = await handle(db, update("1001", { type: "approve", code: await openCode(db, taskId), decision }));
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
    await activate(db, "laxer", { ...policy, roles: { ...policy.roles, operator_approval: ["operator", "reviewer"] } });
    const [{ sha }] = await db.owner<{ sha: string }>("select private.active_policy_sha256() as sha");
    await refusedOn(taskId, await decide(db, "1003", await openCode(db, taskId), "approve", { policy_sha256: sha }), "wrong_role");
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
    expect(await decide(db, "1001", await openCode(db, taskId))).toMatchObject({ reply: "decided" });
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

  it.each([[-0.001, "decided"], [0, "refused"]])("from the millisecond of its expiry on (%s s: %s)", async (offset, reply) => {
    const taskId = await signalAtGate(db);
    await clock.advance(15 * 60 + offset);
    const answer = await decide(db, "1001", await openCode(db, taskId));
    expect(answer.reply).toBe(reply);
    if (reply === "refused") {
      expect(answer.refused).toBe("request_expired");
      expect(await statusOf(db, taskId)).toBe("rejected");
      expect(await approvals(taskId)).toEqual([]);
    }
  });

  it("after somebody else's no", async () => {
    const taskId = await signalAtGate(db);
    const code = await openCode(db, taskId);
    expect(await decide(db, "1001", code, "reject")).toMatchObject({ status: "rejected", task_status: "rejected" });
    expect(await decide(db, "1005", code)).toMatchObject({ refused: "request_closed" });
    expect(await approvals(taskId)).toEqual([{ approver: "olga", decision: "reject" }]);
  });

  it("when it is tapped twice, and when its update comes twice", async () => {
    const taskId = await signalAtGate(db);
    const intent = { type: "approve", code: await openCode(db, taskId), decision: "approve", reason: null };
    const first = update("1001", intent);
    expect(await handle(db, first)).toMatchObject({ outcome: "recorded", status: "approved" });
    expect(await handle(db, first)).toEqual({ outcome: "duplicate" });
    expect(await handle(db, update("1001", intent))).toMatchObject({ refused: "already_decided" });
    expect(await approvals(taskId)).toHaveLength(1);
  });

  it("by a process with another policy, or with none", async () => {
    const taskId = await signalAtGate(db);
    const code = await openCode(db, taskId);
    await refusedOn(taskId, await decide(db, "1001", code, "approve", { policy_sha256: "0".repeat(64) }), "policy_not_active");
    await refusedOn(taskId, await decide(db, "1001", code, "approve", { policy_sha256: null }), "policy_invalid");
  });

  it("by two missing policies, which are not one policy", async () => {
    const taskId = await signalAtGate(db);
    await db.owner("update public.policies set status = 'retired'");
    await refusedOn(taskId, await decide(db, "1001", await openCode(db, taskId), "approve", { policy_sha256: null }), "policy_invalid");
    await activate(db);
  });

  it("outside the member's own chat, and when the door found the sender not personal", async () => {
    const taskId = await signalAtGate(db);
    const code = await openCode(db, taskId);
    for (const answer of [
      await decide(db, "1001", code, "approve", { chat_id: "-100500" }),
      await handle(db, update("1001", { type: "refused", code: "sender_not_personal" })),
      await handle(db, update("1001", { type: "approve", code, decision: "approve" }, { from_id: null })),
    ]) expect(answer).toMatchObject({ refused: "sender_not_personal" });
    expect(await approvals(taskId)).toEqual([]);
  });

  it("on the button of a card whose request was replaced", async () => {
    const taskId = await signalAtGate(db);
    const [{ nonce }] = await db.owner<{ nonce: string }>("select nonce from public.approval_requests where task_id = $1", [taskId]);
    await activate(db, "another text", policy);
    const tap = () => handle(db, update("1001", { type: "button", nonce, decision: "approve" }, { policy_sha256: sha }));
    const [{ sha }] = await db.owner<{ sha: string }>("select private.active_policy_sha256() as sha");
    expect(await tap()).toMatchObject({ refused: "digest_drift" });
    expect(await tap()).toMatchObject({ refused: "request_closed" });
    const code = await openCode(db, taskId);
    expect(await decide(db, "1001", code, "approve", { policy_sha256: sha })).toMatchObject({ status: "approved" });
    await activate(db);
  });
});

describe("T3", () => {
  it("stays open after one yes, and refuses the second yes of the same person under another account", async () => {
    const { taskId, code } = await trade();
    expect(code).toMatch(/^T3-/);
    expect(await decide(db, "1004", code)).toMatchObject({ status: "open" });
    expect(await decide(db, "1024", code)).toMatchObject({ refused: "dual_control_violation" });
    expect(await decide(db, "1014", code)).toMatchObject({ refused: "dual_control_violation" });
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
  });

  it("is not opened by two operators", async () => {
    const { taskId, code } = await trade();
    await decide(db, "1001", code);
    expect(await decide(db, "1005", code)).toMatchObject({ status: "open" });
    expect(await statusOf(db, taskId)).toBe("awaiting_approval");
  });

  it("does not count who was removed before the second yes", async () => {
    await addMember(db, "operator", "brief", "7003");
    const { code } = await trade();
    await decide(db, "7003", code);
    await db.as("administrator", "select api.remove_member('brief', 'test')");
    expect(await decide(db, "1002", code)).toMatchObject({ status: "open" });
    expect(await decide(db, "1001", code)).toMatchObject({ status: "approved" });
  });

  it("stops at its gate when an operator and an owner have said yes", async () => {
    const { taskId, code } = await trade();
    await decide(db, "1002", code);
    expect(await decide(db, "1001", code)).toMatchObject({ status: "approved", task_status: "pending_exec" });
    expect(await approvals(taskId)).toHaveLength(2);
    expect(await claimPublish(db, taskId)).toBeNull();
    expect(await runToGate(db)).toBeNull();
    expect(await db.owner("select status from public.task_steps where task_id = $1 and node_id = 'execute'", [taskId])).toEqual([{ status: "pending" }]);
    expect(await refusalsOf(db, taskId)).toContain("t3_execution_disabled");
  });

  it("that nobody carries out ends when its approval lapses", async () => {
    const { taskId, code } = await trade();
    await decide(db, "1002", code);
    await decide(db, "1001", code);
    await clock.advance(86400);
    await db.database.call("sweep");
    expect(await statusOf(db, taskId)).toBe("rejected");
  });

  it("ends with one no", async () => {
    const { taskId, code } = await trade();
    await decide(db, "1001", code);
    expect(await decide(db, "1002", code, "reject")).toMatchObject({ status: "rejected" });
    expect(await statusOf(db, taskId)).toBe("rejected");
  });
});

describe("no answer", () => {
  it("counts as no, and everyone who was asked sees it", async () => {
    const taskId = await signalAtGate(db);
    await deliverAll();
    await clock.advance(15 * 60);
    expect(await db.database.call<Answer>("sweep")).toMatchObject({ expire_requests: 1 });
    expect(await statusOf(db, taskId)).toBe("rejected");
    const results = await db.owner<{ status: string }>(
      "select payload_json ->> 'status' as status from public.notifications where task_id = $1 and kind = 'card_result'", [taskId],
    );
    expect(results.length).toBeGreaterThan(0);
    for (const { status } of results) expect(status).toBe("expired");
  });

  it("ends an approved signal, too, that nobody published in time", async () => {
    const taskId = await signalAtGate(db);
    await decide(db, "1001", await openCode(db, taskId));
    await clock.advance(15 * 60);
    await db.database.call("sweep");
    expect(await statusOf(db, taskId)).toBe("rejected");
  });

  it("is what a signal gets that reaches its gate too late", async () => {
    const { task_id } = await accept(db, alertEvent("BUY LATE"));
    await clock.advance(15 * 60);
    await runToGate(db);
    expect(await statusOf(db, task_id as string)).toBe("rejected");
    expect(await openCode(db, task_id as string)).toBeUndefined();
  });
});

it("a decision answered while its card was on the way still edits the card", async () => {
  await deliverAll();
  const taskId = await signalAtGate(db);
  const cards = (await claimNotifications()).filter((item) => item.task_id === taskId && item.kind === "approval_card");
  await decide(db, "1001", await openCode(db, taskId));
  await db.database.call("complete_notifications", {
    p_results: cards.map(({ notification_id }, i) => ({ notification_id, outcome: i === 0 ? "sent" : "retry", message_id: "77", channel: "telegram" })),
  });
  expect(await db.owner("select edit_message_id, payload_json ->> 'status' as status from public.notifications where task_id = $1 and kind = 'card_result'", [taskId]))
    .toEqual([{ edit_message_id: "77", status: "approved" }]);
  expect(await db.owner("select 1 from public.notifications where task_id = $1 and kind = 'approval_card' and status in ('queued', 'sending')", [taskId]))
    .toEqual([]);
});

it("an effect is reserved only under an approval that the reserving worker finds", async () => {
  const taskId = await signalAtGate(db);
  await decide(db, "1001", await openCode(db, taskId));
  const work = await claimPublish(db, taskId);
  expect(await reserve(db, work!)).toMatchObject({ status: "reserved" });
});
