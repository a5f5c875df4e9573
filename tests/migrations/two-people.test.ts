import { describe, expect, it } from "vitest";
import {
  accept,
  addMember,
  alertEvent,
  type Answer,
  claimPublish,
  decide,
  openCode,
  refusalsOf,
  reserve,
  runToGate,
  signalAtGate,
  statusOf,
} from "../support/line.ts";
import { approvals, clock, db } from "./people.ts";

const claimNotifications = () =>
  db.database.call<{ notification_id: string; task_id: string; kind: string }[]>(
    "claim_notifications",
    { p_worker: "t", p_limit: 100 },
  );

async function deliverAll(): Promise<void> {
  for (
    let claimed = await claimNotifications();
    claimed.length > 0;
    claimed = await claimNotifications()
  ) {
    await db.database.call("complete_notifications", {
      p_results: claimed.map(({ notification_id }) => ({
        notification_id,
        outcome: "sent",
        message_id: "5",
        channel: "telegram",
      })),
    });
  }
}

async function trade(
  more: Record<string, unknown> = {},
): Promise<{ taskId: string; code: string }> {
  const { task_id } = await accept(
    db,
    alertEvent(`trade ${Math.random()}`, { source: "desk", action: "TRADE", ...more }),
  );
  await runToGate(db);
  const taskId = task_id as string;
  return { taskId, code: await openCode(db, taskId) };
}

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
    expect(await decide(db, "1001", code)).toMatchObject({
      status: "approved",
      task_status: "pending_exec",
    });
    expect(await approvals(taskId)).toHaveLength(2);
    expect(await claimPublish(db, taskId)).toBeNull();
    expect(await runToGate(db)).toBeNull();
    expect(
      await db.owner(
        "select status from public.task_steps where task_id = $1 and node_id = 'execute'",
        [taskId],
      ),
    ).toEqual([{ status: "pending" }]);
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
      "select payload_json ->> 'status' as status from public.notifications where task_id = $1 and kind = 'card_result'",
      [taskId],
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
  const cards = (await claimNotifications()).filter((item) =>
    item.task_id === taskId && item.kind === "approval_card"
  );
  await decide(db, "1001", await openCode(db, taskId));
  await db.database.call("complete_notifications", {
    p_results: cards.map(({ notification_id }, i) => ({
      notification_id,
      outcome: i === 0 ? "sent" : "retry",
      message_id: "77",
      channel: "telegram",
    })),
  });
  expect(
    await db.owner(
      "select edit_message_id, payload_json ->> 'status' as status from public.notifications where task_id = $1 and kind = 'card_result'",
      [taskId],
    ),
  )
    .toEqual([
      // Whose card was tried and may have arrived unseen is told anew: there is nothing to edit.
      ...cards.slice(1).map(() => ({ edit_message_id: null, status: "approved" })),
      { edit_message_id: "77", status: "approved" },
    ]);
  expect(
    await db.owner(
      "select 1 from public.notifications where task_id = $1 and kind = 'approval_card' and status in ('queued', 'sending')",
      [taskId],
    ),
  )
    .toEqual([]);
});

it("an effect is reserved only under an approval that the reserving worker finds", async () => {
  const taskId = await signalAtGate(db);
  await decide(db, "1001", await openCode(db, taskId));
  const work = await claimPublish(db, taskId);
  expect(await reserve(db, work!)).toMatchObject({ status: "reserved" });
});
