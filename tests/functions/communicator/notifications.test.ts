import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { consoleChannel } from "../../../functions/_channels/console.ts";
import { telegramChannel } from "../../../functions/_channels/telegram.ts";
import {
  deliverNotifications,
  type NotificationDeps,
} from "../../../functions/communicator/notifications.ts";
import type { Misbehaviour } from "../../support/bot-api-wire.ts";
import { BotApi } from "../../support/bot-api.ts";
import { noDoor } from "../../support/outside.ts";
import { outbox } from "./outbox.ts";

let api: BotApi;
let printed: string[];
beforeEach(async () => {
  api = await BotApi.start();
  printed = [];
});
afterEach(() => api.close());

const card = {
  code: "T2-20250928-0012",
  nonce: "0f3c9d2e7b6a45819c2d3e4f5a6b7c8d",
  tier: "T2",
  action: "PUBLISH",
  expires_at: "2025-09-28T14:15:00Z",
};
const row = (
  notification_id: string,
  kind: string,
  recipient: string | null,
  payload: unknown,
  edit_message_id: string | null = null,
) => ({ notification_id, kind, recipient, payload, attempt: 1, edit_message_id });

function tick(
  box: ReturnType<typeof outbox>,
  more: Partial<NotificationDeps> = {},
  hasTime = () => true,
) {
  return deliverNotifications({
    ...noDoor,
    database: box.database,
    channels: {
      telegram: telegramChannel({ token: api.token, api_root: api.root, timeout_seconds: 1.5 }),
      console: consoleChannel((text) => printed.push(text)),
    },
    worker: "communicator-1",
    now: () => new Date(),
    ...more,
  }, hasTime);
}
const results = (box: ReturnType<typeof outbox>) =>
  box.told("complete_notifications").map(({ p_results }) => (p_results as object[])[0]);

describe("the outbox of notifications", () => {
  it("fails a payload that cannot be read, and goes on with the next", async () => {
    const box = outbox();
    box.notifications.push(
      row("1", "approval_card", "5", { code: "T2" }),
      row("2", "reply", "5", { reply: "help" }),
    );
    expect(await tick(box)).toBe(2);
    expect(results(box)).toMatchObject([
      { notification_id: "1", attempt: 1, outcome: "failed", error: "the payload is not readable" },
      { notification_id: "2", attempt: 1, outcome: "sent", channel: "telegram", message_id: "101" },
    ]);
  });

  it("records that a person blocked the bot", async () => {
    api.person(5).blocks();
    const box = outbox();
    box.notifications.push(row("1", "approval_card", "5", card));
    await tick(box);
    expect(results(box)).toMatchObject([{ outcome: "blocked", channel: "telegram" }]);
  });

  it("obeys retry_after for all that goes to that chat, and for that chat alone", async () => {
    api.misbehaves("sendMessage", { as: "too_many_requests", retry_after: 9 }, { chat_id: 5 });
    const box = outbox();
    box.notifications.push(
      row("1", "reply", "5", { reply: "help" }),
      row("2", "reply", "5", { reply: "help" }),
      row("3", "reply", "6", { reply: "help" }),
    );
    await tick(box);
    expect(results(box)).toMatchObject([
      { notification_id: "1", outcome: "retry", retry_after: 9 },
      { notification_id: "2", outcome: "retry", retry_after: 9 },
      { notification_id: "3", outcome: "sent" },
    ]);
    expect(api.called("sendMessage")).toHaveLength(2);
  });

  it.each<Misbehaviour>([{ as: "reset_after" }, { as: "server_error" }, { as: "bad_gateway" }])(
    "sends a notification again whose arrival nobody saw, since a missing card is worse than a second one: %j",
    async (how) => {
      api.misbehaves("sendMessage", how);
      const box = outbox();
      box.notifications.push(row("1", "reply", "5", { reply: "help" }));
      await tick(box);
      expect(results(box)).toMatchObject([{ outcome: "retry", retry_after: 5 }]);
    },
  );

  it("gives back what there was no time for", async () => {
    const box = outbox();
    box.notifications.push(row("1", "reply", "5", { reply: "help" }));
    await tick(box, {}, () => false);
    expect(results(box)).toMatchObject([{ outcome: "retry", retry_after: 1 }]);
    expect(api.calls).toEqual([]);
  });

  it("sends a card with two buttons, edits it with the result and takes the buttons away", async () => {
    const box = outbox();
    box.notifications.push(row("1", "approval_card", "5", card));
    await tick(box);
    expect(api.person(5).buttons).toEqual(["Approve", "Reject"]);
    box.notifications.push(row("2", "card_result", "5", { ...card, status: "rejected" }, "101"));
    await tick(box);
    expect(api.person(5).reads).toHaveLength(1);
    expect(api.person(5).reads[0]).toContain("Rejected. Nothing is carried out.");
    expect(api.person(5).buttons).toEqual([]);
  });

  it("keeps the buttons while another person still has to decide", async () => {
    const box = outbox();
    box.notifications.push(row("1", "approval_card", "5", card));
    await tick(box);
    const decided = [{
      approver: "ola",
      role: "operator",
      decision: "approve",
      ts: "2025-09-28T14:01:00Z",
    }];
    box.notifications.push(
      row("2", "card_result", "5", { ...card, status: "open", decided }, "101"),
    );
    await tick(box);
    expect(api.person(5).reads[0]).toContain("- ola (operator) approved, 2025-09-28 14:01:00 UTC");
    expect(api.person(5).buttons).toEqual(["Approve", "Reject"]);
  });

  it("tells the result in a new message when the card is gone", async () => {
    const box = outbox();
    box.notifications.push(row("1", "card_result", "5", { ...card, status: "approved" }, "999"));
    await tick(box);
    expect(results(box)).toMatchObject([{ outcome: "sent", message_id: "101" }]);
  });

  it("prints an announcement that no member can read, and never posts it in public", async () => {
    const box = outbox();
    box.notifications.push(
      row("1", "announcement", null, { topic: "task_failed", task_id: "T-1" }),
    );
    await tick(box);
    expect(api.received("-1002000000001")).toEqual([]);
    expect(printed[0]).toContain("Task T-1 failed. See /status T-1.");
  });

  it("prints everything where there is no bot, and records that", async () => {
    const box = outbox();
    box.notifications.push(
      row("1", "approval_card", "5", card),
      row("2", "announcement", null, { topic: "task_failed", task_id: "T-1" }),
    );
    const terminal = consoleChannel((text) => printed.push(text));
    await tick(box, { channels: { telegram: null, console: terminal } });
    expect(results(box)).toMatchObject([
      { outcome: "sent", channel: "console", message_id: "console-1" },
      { outcome: "sent", channel: "console", message_id: "console-2" },
    ]);
    expect(printed[0]).toContain("[Approve] [Reject]");
    expect(api.calls).toEqual([]);
  });
});
