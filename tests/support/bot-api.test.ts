import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BotApi } from "./bot-api.ts";

let api: BotApi;
beforeEach(async () => {
  api = await BotApi.start();
});
afterEach(() => api.close());

async function call(method: string, parameters: object = {}, token = api.token) {
  const response = await fetch(`${api.root}/bot${token}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(parameters),
  });
  return { status: response.status, body: await response.json() };
}

describe("the Bot API server refuses as Telegram does", () => {
  it.each([
    ["a wrong token", "getMe", {}, "1:x", 401, "Unauthorized"],
    [
      "a method that does not exist",
      "approveAll",
      {},
      undefined,
      404,
      "Not Found: method not found",
    ],
    [
      "an empty text",
      "sendMessage",
      { chat_id: 5, text: " " },
      undefined,
      400,
      "Bad Request: message text is empty",
    ],
    [
      "a text that is too long",
      "sendMessage",
      { chat_id: 5, text: "x".repeat(4097) },
      undefined,
      400,
      "Bad Request: message is too long",
    ],
    [
      "a chat that is none",
      "sendMessage",
      { chat_id: "five", text: "x" },
      undefined,
      400,
      "Bad Request: chat not found",
    ],
    [
      "button data beyond 64 bytes",
      "sendMessage",
      {
        chat_id: 5,
        text: "x",
        reply_markup: { inline_keyboard: [[{ text: "a", callback_data: "é".repeat(33) }]] },
      },
      undefined,
      400,
      "Bad Request: BUTTON_DATA_INVALID",
    ],
    [
      "an edit of what is not there",
      "editMessageText",
      { chat_id: 5, message_id: 9, text: "x" },
      undefined,
      400,
      "Bad Request: message to edit not found",
    ],
    [
      "a callback answer beyond 200",
      "answerCallbackQuery",
      { callback_query_id: "1", text: "x".repeat(201) },
      undefined,
      400,
      "Bad Request: MESSAGE_TOO_LONG",
    ],
  ])("%s", async (_what, method, parameters, token, status, description) => {
    const { body, ...answer } = await call(method, parameters, token);
    expect(answer.status).toBe(status);
    expect(body).toEqual({ ok: false, error_code: status, description });
  });

  it("an edit that changes nothing", async () => {
    await call("sendMessage", { chat_id: 5, text: "x" });
    const { body } = await call("editMessageText", { chat_id: 5, message_id: 101, text: "x" });
    expect(body.description).toContain("message is not modified");
  });

  it("a person who blocked the bot", async () => {
    api.person(5).blocks();
    expect((await call("sendMessage", { chat_id: 5, text: "x" })).status).toBe(403);
    api.person(5).unblocks();
    expect((await call("sendMessage", { chat_id: 5, text: "x" })).status).toBe(200);
  });

  it("polling while a webhook is set", async () => {
    await call("setWebhook", { url: "http://127.0.0.1:9/x" });
    expect((await call("getUpdates")).body.error_code).toBe(409);
    await call("deleteWebhook");
    expect((await call("getUpdates")).body).toEqual({ ok: true, result: [] });
  });
});

describe("the Bot API server misbehaves on request", () => {
  it("once, for one chat, then answers again", async () => {
    api.misbehaves("sendMessage", { as: "too_many_requests", retry_after: 3 }, { chat_id: 6 });
    expect((await call("sendMessage", { chat_id: 5, text: "x" })).status).toBe(200);
    const refused = await call("sendMessage", { chat_id: 6, text: "x" });
    expect(refused.body.parameters).toEqual({ retry_after: 3 });
    expect((await call("sendMessage", { chat_id: 6, text: "x" })).status).toBe(200);
  });

  it("by a reset that comes before or after the work", async () => {
    api.misbehaves("sendMessage", { as: "reset_before" });
    await expect(call("sendMessage", { chat_id: 5, text: "before" })).rejects.toThrow(
      "fetch failed",
    );
    api.misbehaves("sendMessage", { as: "reset_after" });
    await expect(call("sendMessage", { chat_id: 5, text: "after" })).rejects.toThrow(
      "fetch failed",
    );
    expect(api.received(5)).toEqual(["after"]);
  });
});

describe("updates", () => {
  it("wait for the poll, arrive in order and are forgotten below the offset", async () => {
    await api.person(5).says("one");
    const waiting = call("getUpdates", { offset: 2, timeout: 5 });
    await api.person(5).says("/help");
    const { body } = await waiting;
    expect(body.result).toMatchObject([{
      update_id: 2,
      message: {
        from: { id: 5, is_bot: false },
        chat: { id: 5, type: "private" },
        text: "/help",
        entities: [{ offset: 0, length: 5, type: "bot_command" }],
      },
    }]);
    expect((await call("getUpdates", { offset: 3 })).body.result).toEqual([]);
    expect((await call("getWebhookInfo")).body.result.pending_update_count).toBe(0);
  });

  it("are pushed with the secret until the webhook answers 2xx, then its method is carried out", async () => {
    const seen: { secret: unknown; body: string }[] = [];
    const hook = createServer(async (request, response) => {
      let body = "";
      for await (const part of request) body += part;
      seen.push({ secret: request.headers["x-telegram-bot-api-secret-token"], body });
      response.writeHead(seen.length === 1 ? 503 : 200, { "content-type": "application/json" });
      response.end(
        JSON.stringify({ method: "answerCallbackQuery", callback_query_id: "401", text: "ok" }),
      );
    });
    await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
    await call("setWebhook", { url, secret_token: "s3cret" });
    await call("sendMessage", {
      chat_id: 5,
      text: "card",
      reply_markup: { inline_keyboard: [[{ text: "Approve", callback_data: "y:abc" }]] },
    });
    await api.person(5).taps("approve");
    hook.close();
    expect(seen.map(({ secret }) => secret)).toEqual(["s3cret", "s3cret"]);
    expect(seen[0].body).toBe(seen[1].body);
    expect(JSON.parse(seen[0].body).callback_query).toMatchObject({
      from: { id: 5 },
      data: "y:abc",
      message: { message_id: 101, chat: { id: 5, type: "private" } },
    });
    expect(api.called("answerCallbackQuery")).toEqual([
      {
        method: "answerCallbackQuery",
        parameters: { callback_query_id: "401", text: "ok" },
        inWebhookReply: true,
      },
    ]);
  });

  it("cannot be made by tapping a button that nobody was shown", () => {
    expect(() => api.person(5).taps("Approve")).toThrow('person 5 sees no button "Approve"');
  });
});
