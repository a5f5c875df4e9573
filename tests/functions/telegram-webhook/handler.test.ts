import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Database } from "../../../functions/_database/database.ts";
import { handle, type TelegramWebhookDeps } from "../../../functions/telegram-webhook/handler.ts";

const fixture = (name: string) =>
  readFileSync(new URL(`../../fixtures/updates/${name}.json`, import.meta.url), "utf8");
const secret = "hook-secret_1";

/** What is prepared for a request that nobody knows: there is nothing to sign. */
const nothing = { subject: null, second_factor: null, required: false, signing_keys: [] };

/** The door alone is under test: the database answers what it is told to and keeps what it was asked. */
function door(answer: unknown = { outcome: "recorded" }, more: Partial<TelegramWebhookDeps> = {}) {
  const calls: { name: string; args: Record<string, unknown> | undefined }[] = [];
  const database: Database = {
    call: <T>(name: string, args?: Record<string, unknown>) => {
      if (name === "prepare_decision") return Promise.resolve(nothing as T);
      calls.push({ name, args });
      return Promise.resolve(answer as T);
    },
    close: () => Promise.resolve(),
  };
  const deps: TelegramWebhookDeps = {
    database,
    secret,
    username: () => Promise.resolve("dynamic_ags_bot"),
    channel: "telegram",
    policy_sha256: "ab".repeat(32),
    signer: null,
    seeds: null,
    vip_chat_id: "-1001234567890",
    now: () => new Date(0),
    ...more,
  };
  const post = (body: string, init: RequestInit & { path?: string } = {}) =>
    handle(
      new Request(`http://localhost${init.path ?? "/functions/v1/telegram-webhook"}`, {
        method: "POST",
        headers: { "x-telegram-bot-api-secret-token": secret },
        body,
        ...init,
      }),
      deps,
    );
  return { calls, post };
}

describe("the Telegram webhook", () => {
  it("refuses a missing, wrong, shortened or doubled secret without reading the body or asking the database", async () => {
    const { calls, post } = door();
    for (
      const presented of [
        undefined,
        "",
        "x",
        secret.slice(0, -1),
        secret + secret,
        secret.toUpperCase(),
      ]
    ) {
      let read = false;
      const body = new ReadableStream({
        pull: () => {
          read = true;
        },
      }, { highWaterMark: 0 });
      const headers = presented === undefined
        ? {}
        : { "x-telegram-bot-api-secret-token": presented };
      const response = await post("", { headers, body, duplex: "half" } as RequestInit);
      expect(response.status, String(presented)).toBe(401);
      expect(read).toBe(false);
    }
    expect(calls).toEqual([]);
  });

  it("refuses everybody while no secret is set", async () => {
    const { post } = door(undefined, { secret: "" });
    const headers = { "x-telegram-bot-api-secret-token": "" };
    expect((await post(fixture("approve_yes"), { headers })).status).toBe(401);
  });

  it("refuses another method, another path, a huge body and what is no update", async () => {
    const { calls, post } = door();
    expect((await post("", { method: "GET", body: null })).status).toBe(405);
    expect((await post("{}", { path: "/telegram-webhook/more" })).status).toBe(404);
    expect((await post("x".repeat(600_000))).status).toBe(413);
    expect((await post("not json")).status).toBe(422);
    expect(calls).toEqual([]);
  });

  it.each([
    "approve_forwarded_from_user",
    "kind_of_the_future",
    "message_of_another_shape",
    "approve_in_channel_post",
    "sticker",
  ])(
    "records %s and answers 200, since anything else would hold up the updates behind it",
    async (name) => {
      const { calls, post } = door({ outcome: "recorded", refused: "sender_not_personal" });
      const response = await post(fixture(name));
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ outcome: "recorded" });
      expect(calls).toHaveLength(1);
    },
  );

  it("lets a failing database show, so that Telegram sends the update again", async () => {
    const { post } = door(undefined, {
      database: { call: () => Promise.reject(new Error("gone")), close: () => Promise.resolve() },
    });
    await expect(post(fixture("approve_yes"))).rejects.toThrow("gone");
  });

  it("hands a decision on with the intent, the channel and the bundled policy, and no raw update", async () => {
    const { calls, post } = door();
    await post(fixture("approve_no_with_reason"), { path: "/telegram-webhook" });
    expect(calls).toEqual([{
      name: "decide",
      args: {
        p_signed: null,
        p_update: {
          update_id: "870000102",
          kind: "message",
          from_id: "611000111",
          chat_id: "611000111",
          intent: {
            type: "approve",
            code: "T2-20250928-0012",
            decision: "reject",
            reason: "too close to the news",
          },
          channel: "telegram",
          policy_sha256: "ab".repeat(32),
          receipt: {
            update_id: "870000102",
            kind: "message",
            chat_type: "private",
            message_id: "512",
            date: 1759068000,
            text: "/approve T2-20250928-0012 no [reason]",
          },
        },
      },
    }]);
  });

  it("stores updates without a readable policy, too", async () => {
    const { calls, post } = door(undefined, { policy_sha256: null });
    expect((await post(fixture("pending"))).status).toBe(200);
    expect(calls[0].name).toBe("handle_update");
    expect(calls[0].args).toMatchObject({
      p_update: { policy_sha256: null, intent: { type: "pending" } },
    });
  });

  it("says with a request to join, and with nothing else, which door is ours", async () => {
    const { calls, post } = door();
    const from = { id: 7, is_bot: false, first_name: "x" };
    const chat = { id: -1009999999999, type: "supergroup", title: "another group" };
    await post(JSON.stringify({
      update_id: 9,
      chat_join_request: { chat, from, user_chat_id: 7, date: 1 },
    }));
    await post(fixture("pending"));
    expect(calls[0].args).toMatchObject({
      p_update: { intent: { type: "join" }, vip_chat_id: "-1001234567890" },
    });
    expect(calls[1].args?.p_update).not.toHaveProperty("vip_chat_id");
  });

  it("answers a tapped button in the response: the outcome, the refusal, or nothing new for a repeat", async () => {
    const answerTo = async (answer: object, name = "button_yes") =>
      await (await door(answer).post(fixture(name))).json();
    const decided = {
      outcome: "recorded",
      reply: "decided",
      code: "T2-20250928-0012",
      decision: "approve",
      status: "approved",
    };
    expect(await answerTo(decided)).toEqual({
      method: "answerCallbackQuery",
      callback_query_id: "4382bfdwdsb323b2d9",
      text: "Approved: T2-20250928-0012. The request is approved.",
    });
    expect((await answerTo({ outcome: "recorded", refused: "not_a_member" })).text).toContain(
      "not a member",
    );
    expect(
      (await answerTo({ outcome: "recorded", refused: "sender_not_personal" }, "button_in_group"))
        .callback_query_id,
    ).toBe("78");
    expect((await answerTo({ outcome: "duplicate" })).text).toBe("");
  });

  it("asks for the bot's name only when a message has an @ in it", async () => {
    let asked = 0;
    const username = () => Promise.resolve((asked++, "dynamic_ags_bot"));
    const { calls, post } = door(undefined, { username });
    await post(fixture("status"));
    expect(asked).toBe(0);
    await post(fixture("approve_addressed_to_our_bot"));
    expect(asked).toBe(1);
    expect(calls[1].args).toMatchObject({ p_update: { intent: { type: "approve" } } });
  });
});
