import { describe, expect, it } from "vitest";
import {
  accept,
  addMember,
  alertEvent,
  decide,
  openCode,
  runToGate,
  signalAtGate,
} from "../support/line.ts";
import { clock, db } from "./people.ts";

const cards = (recipient: string, taskId: string) =>
  db.owner<{ status: string; code: string }>(
    `select status, payload_json ->> 'code' as code from public.notifications
      where kind = 'approval_card' and recipient = $1 and task_id = $2`,
    [recipient, taskId],
  );
const tradeAtGate = async () => {
  const event = alertEvent(`trade ${Math.random()}`, { source: "desk", action: "TRADE" });
  const { task_id } = await accept(db, event);
  await runToGate(db);
  return task_id as string;
};

describe("a member who joins late gets no card", () => {
  it("of what their role may not decide", async () => {
    const taskId = await signalAtGate(db);
    await addMember(db, "owner", "late-owner", "7101");
    await addMember(db, "reviewer", "late-reviewer", "7102");
    expect(await cards("7101", taskId)).toEqual([]);
    expect(await cards("7102", taskId)).toEqual([]);
  });

  it("of what they asked for themselves, under any account", async () => {
    const taskId = await signalAtGate(db, { actor: "tradingview:tom" });
    await addMember(db, "operator", "tom-tablet", "7103", "tom");
    const before = await signalAtGate(db, { actor: "telegram:7104" });
    await addMember(db, "operator", "asker", "7104");
    expect(await cards("7103", taskId)).toEqual([]);
    expect(await cards("7104", before)).toEqual([]);
  });

  it("of what is decided or has lapsed", async () => {
    const lapsed = await signalAtGate(db);
    await clock.advance(15 * 60);
    const decided = await signalAtGate(db);
    await decide(db, "1001", await openCode(db, decided));
    await addMember(db, "operator", "too-late", "7105");
    expect(await cards("7105", lapsed)).toEqual([]);
    expect(await cards("7105", decided)).toEqual([]);
  });

  it("that they have already, when they left and came back", async () => {
    await addMember(db, "operator", "boomerang", "7106");
    const taskId = await signalAtGate(db);
    await db.as("administrator", "select api.remove_member('boomerang', 'test')");
    await addMember(db, "operator", "boomerang", "7106");
    expect(await cards("7106", taskId)).toHaveLength(1);
  });
});

it("a member who joins late gets the card of all that is open and theirs to decide, and decides", async () => {
  const signal = await signalAtGate(db);
  const trade = await tradeAtGate();
  await addMember(db, "operator", "late", "7107");
  for (const taskId of [signal, trade]) {
    expect(await cards("7107", taskId)).toEqual([
      { status: "queued", code: await openCode(db, taskId) },
    ]);
  }
  expect(await decide(db, "7107", await openCode(db, signal))).toMatchObject({
    status: "approved",
  });
});

describe("the result of a notification", () => {
  interface Claimed {
    notification_id: string;
    attempt: number;
    recipient: string;
    kind: string;
    task_id: string;
  }
  const claimCard = async (taskId: string): Promise<Claimed> => {
    for (;;) {
      const claimed = await db.database.call<Claimed[]>("claim_notifications", {
        p_worker: "t",
        p_limit: 100,
      });
      const mine = claimed.find((item) =>
        item.task_id === taskId && item.kind === "approval_card" && item.recipient === "1001"
      );
      if (mine) return mine;
      if (claimed.length === 0) throw new Error("no card to claim");
    }
  };
  const complete = (card: Claimed, more: Record<string, unknown>) =>
    db.database.call("complete_notifications", {
      p_results: [{ notification_id: card.notification_id, channel: "telegram", ...more }],
    });
  const row = (card: Claimed) =>
    db.owner(
      "select status, message_id, attempt from public.notifications where notification_id = $1",
      [card.notification_id],
    );

  it("does not count for a claim that ran out and was made again by another worker", async () => {
    const taskId = await signalAtGate(db);
    const first = await claimCard(taskId);
    await clock.advance(61);
    const second = await claimCard(taskId);
    expect(second).toMatchObject({
      notification_id: first.notification_id,
      attempt: first.attempt + 1,
    });
    await complete(first, { attempt: first.attempt, outcome: "failed", error: "late" });
    expect(await row(first)).toEqual([
      { status: "sending", message_id: null, attempt: second.attempt },
    ]);
    await complete(second, { attempt: second.attempt, outcome: "sent", message_id: "9" });
    expect(await row(first)).toEqual([
      { status: "sent", message_id: "9", attempt: second.attempt },
    ]);
  });

  it("counts without its attempt, too, for a process that does not name it", async () => {
    const card = await claimCard(await signalAtGate(db));
    await complete(card, { outcome: "sent", message_id: "9" });
    expect(await row(card)).toMatchObject([{ status: "sent" }]);
  });
});
