import { describe, expect, it } from "vitest";
import { consoleChannel } from "../../../functions/_channels/console.ts";
import type { MessageChannel } from "../../../functions/_domain/notification.ts";
import { deliverNotifications } from "../../../functions/communicator/notifications.ts";
import { outbox } from "./outbox.ts";

async function carriedOut(payload: unknown, recipient = "5") {
  const taken: unknown[] = [];
  const printed: string[] = [];
  const console = consoleChannel((text) => printed.push(text));
  const telegram: MessageChannel & { deleteMessage: unknown } = {
    ...console,
    name: "telegram",
    deleteMessage: (message: { message_id: string }) => {
      taken.push(message);
      return Promise.resolve({ outcome: "sent", message_id: message.message_id });
    },
  };
  const box = outbox();
  const row = { notification_id: "1", kind: "deletion", recipient, payload, attempt: 1 };
  box.notifications.push({ ...row, edit_message_id: null });
  await deliverNotifications({
    database: box.database,
    channels: { telegram, console },
    membership: null,
    worker: "communicator-1",
    now: () => new Date(),
  }, () => true);
  const [{ p_results }] = box.told("complete_notifications");
  return { taken, printed, result: (p_results as object[])[0] };
}

describe("the deletion of a message that held a code", () => {
  it("fails where no message is named, and where there is none to take away", async () => {
    for (const odd of [null, {}, { message_id: 7 }, { message_id: "7; 8" }]) {
      const { taken, result } = await carriedOut(odd);
      expect(result).toMatchObject({ outcome: "failed", error: "the payload is not readable" });
      expect(taken).toEqual([]);
    }
    const { result } = await carriedOut({ message_id: "512" }, "the operators");
    expect(result).toMatchObject({ outcome: "failed", error: "console takes no message back" });
  });

  it("is asked of Telegram for that chat and message, and nothing is said", async () => {
    const { taken, printed, result } = await carriedOut({ message_id: "512" });
    expect(taken).toEqual([{ chat_id: "5", message_id: "512" }]);
    expect(result).toMatchObject({ outcome: "sent", channel: "telegram" });
    expect(printed).toEqual([]);
  });
});
