import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { consoleChannel } from "../../../functions/_channels/console.ts";
import { type TelegramChannel, telegramChannel } from "../../../functions/_channels/telegram.ts";
import type { Misbehaviour } from "../../support/bot-api-wire.ts";
import { BotApi } from "../../support/bot-api.ts";

let api: BotApi;
let channel: TelegramChannel;
const chat_id = "611000111";
const buttons = [{ text: "Approve", callback_data: "y:0123456789abcdef" }];

beforeEach(async () => {
  api = await BotApi.start();
  channel = telegramChannel({ token: api.token, api_root: api.root, timeout_seconds: 1.5 });
});
afterEach(() => api.close());

describe("a call that went wrong", () => {
  it.each<[Misbehaviour, unknown]>([
    [{ as: "too_many_requests", retry_after: 7 }, { outcome: "retry", retry_after: 7 }],
    [{ as: "server_error" }, { outcome: "unknown", error: expect.stringMatching(/^500: /) }],
    [{ as: "blocked" }, { outcome: "blocked" }],
    [{ as: "bad_request" }, { outcome: "failed" }],
    [{ as: "bad_gateway" }, { outcome: "unknown" }],
    [{ as: "hang" }, { outcome: "unknown" }],
    [{ as: "reset_before" }, { outcome: "unknown" }],
    [{ as: "reset_after" }, { outcome: "unknown" }],
  ])("is what was seen of it, and not more: %j", async (how, outcome) => {
    api.misbehaves("sendMessage", how);
    const delivery = await channel.send({ chat_id, text: "hello" });
    expect(delivery).toMatchObject(outcome as object);
    expect(JSON.stringify(delivery)).not.toContain(api.token);
    expect(JSON.stringify(delivery)).not.toContain(api.token.split(":")[1]);
  });

  it("is certainly not done where no connection was made", async () => {
    await api.refuseConnections();
    expect(await channel.send({ chat_id, text: "hello" })).toEqual({
      outcome: "retry",
      retry_after: 5,
      error: "Telegram could not be reached",
      unreached: true,
    });
    await api.open();
    expect(await channel.send({ chat_id, text: "hello" })).toMatchObject({ outcome: "sent" });
    expect(api.received(chat_id)).toEqual(["hello"]);
  });

  it("is never repeated by the channel itself", async () => {
    api.misbehaves("sendMessage", { as: "reset_after" });
    await channel.send({ chat_id, text: "once" });
    expect(api.called("sendMessage")).toHaveLength(1);
    expect(api.received(chat_id)).toEqual(["once"]);
  });

  it("fails for a message that was never there to edit", async () => {
    expect(await channel.edit({ chat_id, message_id: "console-3", text: "x" })).toMatchObject({
      outcome: "failed",
    });
    expect(await channel.edit({ chat_id, message_id: "12", text: "x" })).toMatchObject({
      outcome: "failed",
    });
  });

  it("leaves the bot's name unknown, and asks again the next time", async () => {
    api.misbehaves("getMe", { as: "server_error" });
    expect(await channel.username()).toBeNull();
    expect(await channel.username()).toBe("dynamic_ags_bot");
    expect(await channel.username()).toBe("dynamic_ags_bot");
    expect(api.called("getMe")).toHaveLength(2);
  });
});

describe("the Telegram channel", () => {
  it("sends plain text with buttons and without a preview", async () => {
    const text = "a < b & *c* _d_ [e](http://x)";
    expect(await channel.send({ chat_id, text, buttons })).toEqual({
      outcome: "sent",
      message_id: "101",
    });
    const [{ parameters }] = api.called("sendMessage");
    expect(parameters).toEqual({
      chat_id,
      text,
      reply_markup: { inline_keyboard: [buttons] },
      link_preview_options: { is_disabled: true },
    });
  });

  it("edits a card, which takes its buttons away; the same edit again counts as sent", async () => {
    await channel.send({ chat_id, text: "card", buttons });
    for (let time = 0; time < 2; time++) {
      expect(await channel.edit({ chat_id, message_id: "101", text: "decided" })).toEqual({
        outcome: "sent",
        message_id: "101",
      });
    }
    expect(api.person(chat_id).reads).toEqual(["decided"]);
    expect(api.person(chat_id).buttons).toEqual([]);
  });

  it("answers a tapped button", async () => {
    expect(await channel.answerCallback({ callback_query_id: "77", text: "Approved" }))
      .toMatchObject({ outcome: "sent" });
    expect(api.called("answerCallbackQuery")[0].parameters).toEqual({
      callback_query_id: "77",
      text: "Approved",
    });
  });
});

describe("the same channel under Deno", () => {
  const root = fileURLToPath(new URL("../../../", import.meta.url));

  it(
    "sees the same outcomes and never posts twice, where the runtime's own fetch would",
    async () => {
      const { stdout } = await promisify(execFile)(
        fileURLToPath(new URL("../../../node_modules/.bin/deno", import.meta.url)),
        [
          "run",
          "--no-check",
          "--allow-net=127.0.0.1",
          fileURLToPath(new URL("telegram-under-deno.ts", import.meta.url)),
        ],
        { cwd: root, env: { ...process.env, NO_COLOR: "1" } },
      );
      const lines = stdout.trim().split("\n").map((row) => JSON.parse(row))
        .filter(({ as }) => as !== "warm");
      const row = (as: string, outcome: string, calls: number, posts: number) => ({
        as,
        outcome,
        calls,
        posts,
        leaks: false,
      });
      expect(lines).toEqual([
        row("too_many_requests", "retry", 1, 0),
        row("blocked", "blocked", 1, 0),
        row("bad_request", "failed", 1, 0),
        row("server_error", "unknown", 1, 0),
        row("bad_gateway", "unknown", 1, 0),
        row("hang", "unknown", 1, 0),
        row("reset_before", "unknown", 1, 0),
        row("reset_after", "unknown", 1, 1),
        row("refused", "retry", 0, 0),
        row("open", "sent", 1, 1),
      ]);
    },
    30_000,
  );
});

describe("the console channel", () => {
  it("prints what Telegram would have received, and counts it as sent", async () => {
    const printed: string[] = [];
    const terminal = consoleChannel((text) => printed.push(text));
    expect(await terminal.send({ chat_id: "console", text: "card", buttons })).toEqual({
      outcome: "sent",
      message_id: "console-1",
    });
    expect(await terminal.edit({ chat_id: "console", message_id: "console-1", text: "decided" }))
      .toEqual({ outcome: "sent", message_id: "console-1" });
    expect(printed).toEqual([
      "— to console\ncard\n[Approve]",
      "— to console, instead of console-1\ndecided",
    ]);
  });
});
