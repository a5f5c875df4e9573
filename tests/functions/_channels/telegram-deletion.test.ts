import { describe, expect, it } from "vitest";
import { telegramChannel } from "../../../functions/_channels/telegram.ts";

/** A Bot API that answers one thing and keeps what it was asked. */
function asked(status: number, body: unknown) {
  const calls: { url: string; body: unknown }[] = [];
  const channel = telegramChannel({
    token: "1:token",
    api_root: "http://bot-api.test",
    fetch: async (input, init) => {
      calls.push({ url: String(input), body: await new Response(init?.body).json() });
      return new Response(JSON.stringify(body), { status });
    },
  });
  return { calls, remove: () => channel.deleteMessage({ chat_id: "5", message_id: "512" }) };
}
const fault = (description: string) => ({ ok: false, error_code: 400, description });

describe("taking a message away", () => {
  it("fails for what is no message of Telegram's, without a call", async () => {
    const channel = telegramChannel({
      token: "1:token",
      api_root: "http://bot-api.test",
      fetch: () => Promise.reject(new Error("nobody is called")),
    });
    for (const message_id of ["console-3", "", "1e400"]) {
      expect(await channel.deleteMessage({ chat_id: "5", message_id: message_id || "x" }))
        .toMatchObject({ outcome: "failed", error: "no such message" });
    }
  });

  it("fails where Telegram keeps it", async () => {
    const kept = asked(400, fault("Bad Request: message can't be deleted for everyone"));
    expect(await kept.remove()).toMatchObject({ outcome: "failed" });
  });

  it("is done where it is gone already, and where Telegram says so", async () => {
    const gone = asked(400, fault("Bad Request: message to delete not found"));
    expect(await gone.remove()).toEqual({ outcome: "sent", message_id: "512" });
    const done = asked(200, { ok: true, result: true });
    expect(await done.remove()).toEqual({ outcome: "sent", message_id: "512" });
    expect(done.calls).toEqual([{
      url: "http://bot-api.test/bot1:token/deleteMessage",
      body: { chat_id: "5", message_id: 512 },
    }]);
  });
});
