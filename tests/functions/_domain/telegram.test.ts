import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { type Intent, type ReadUpdate, readUpdate } from "../../../functions/_domain/telegram.ts";

const folder = new URL("../../fixtures/updates/", import.meta.url);
const names = readdirSync(folder).map((file) => file.replace(/\.json$/, ""));
const raw = (name: string) => readFileSync(new URL(`${name}.json`, folder), "utf8");

function read(text: string): ReadUpdate {
  const update = readUpdate(text, "dynamic_ags_bot");
  if (update === null) throw new Error("no update");
  return update;
}

const notPersonal = (why: string): Intent => ({
  type: "refused",
  code: "sender_not_personal",
  why,
});
const ignored = (why: string): Intent => ({ type: "ignored", why });
const usage = (about: "approve" | "command"): Intent => ({ type: "usage", about });
const approve = (more: Partial<Extract<Intent, { type: "approve" }>> = {}): Intent => ({
  type: "approve",
  code: "T2-20250928-0012",
  decision: "approve",
  reason: null,
  otp: null,
  ...more,
});
const button = (decision: "approve" | "reject", callback_id: string): Intent => ({
  type: "button",
  nonce: "0f3c9d2e7b6a45819c2d3e4f5a6b7c8d",
  decision,
  callback_id,
  message_id: "480",
});

const expected: Record<string, Intent> = {
  approve_forwarded_from_user: notPersonal("forwarded"),
  approve_forwarded_hidden_user: notPersonal("forwarded"),
  approve_forwarded_legacy_fields: notPersonal("forwarded"),
  approve_edited: notPersonal("edited_message"),
  approve_via_inline_bot: notPersonal("via_bot"),
  approve_in_group: notPersonal("not_private"),
  approve_by_anonymous_admin: notPersonal("sender_chat"),
  approve_by_anonymous_admin_posing_private: notPersonal("placeholder_sender"),
  approve_in_the_name_of_a_channel: notPersonal("sender_chat"),
  approve_by_service_account: notPersonal("forwarded"),
  approve_private_with_sender_chat: notPersonal("sender_chat"),
  approve_in_channel_post: notPersonal("channel_post"),
  approve_by_another_bot: notPersonal("bot_sender"),
  approve_in_business_chat: notPersonal("business_message"),
  approve_by_business_connection: notPersonal("business"),
  approve_by_guest: notPersonal("guest_message"),
  approve_quoting_another_text: notPersonal("quote"),
  approve_with_external_reply: notPersonal("quote"),
  approve_inside_blockquote: notPersonal("quote"),
  approve_in_someone_elses_chat: notPersonal("wrong_chat"),
  approve_without_sender: notPersonal("no_sender"),
  approve_addressed_to_another_bot: ignored("other_bot"),
  approve_as_caption: ignored("no_text"),
  approve_cyrillic_letter: usage("command"),
  approve_fullwidth_slash: usage("command"),
  approve_fullwidth_digits: usage("approve"),
  approve_right_to_left_override: usage("command"),
  approve_zero_width_joiner: usage("approve"),
  approve_no_break_space: usage("command"),
  approve_capitals: usage("command"),
  approve_second_line: usage("command"),
  approve_without_answer: usage("approve"),
  approve_maybe: usage("approve"),
  button_in_group: notPersonal("not_private"),
  button_in_someone_elses_chat: notPersonal("wrong_chat"),
  button_of_an_inline_message: notPersonal("not_private"),
  button_with_foreign_data: ignored("foreign_button"),
  button_without_data: ignored("no_data"),
  small_talk: usage("command"),
  small_talk_in_group: ignored("not_private"),
  sticker: ignored("no_text"),
  poll_answer: ignored("poll_answer"),
  bot_blocked_by_user: ignored("my_chat_member"),
  message_reaction: ignored("message_reaction"),
  kind_of_the_future: ignored("unknown"),
  message_of_another_shape: ignored("unreadable"),
  approve_yes: approve(),
  approve_no_with_reason: approve({ decision: "reject", reason: "too close to the news" }),
  approve_by_task_id: approve({ code: "T-2025-09-28-0012" }),
  approve_addressed_to_our_bot: approve(),
  approve_as_reply_to_the_card: approve(),
  approve_with_ids_beyond_53_bits: approve({ reason: "order 12345678901234567890" }),
  button_yes: button("approve", "4382bfdwdsb323b2d9"),
  button_no_on_inaccessible_message: button("reject", "77"),
  pending: { type: "pending" },
  status: { type: "status", id: "T-2025-09-28-0012" },
  help: { type: "help" },
  start: { type: "start", pairing_code: null },
  start_with_pairing_code: { type: "start", pairing_code: "Kf7-mQ2x_9Zp" },
};

describe("reading an update", () => {
  it("has an expectation for every fixture", () => {
    expect(Object.keys(expected).sort()).toEqual([...names].sort());
  });

  it.each(Object.entries(expected))("reads %s as it must be read", (name, intent) => {
    expect(read(raw(name)).intent).toEqual(intent);
  });

  it("is no update without JSON, without an object or without an update_id", () => {
    for (
      const text of [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"x"',
        "{}",
        '{"update_id":"x"}',
        '{"update_id":-1}',
        '{"update_id":1.5}',
      ]
    ) {
      expect(readUpdate(text, null), text).toBeNull();
    }
  });

  it("asks for the command without a name while the bot's own is not known", () => {
    expect(readUpdate(raw("approve_addressed_to_our_bot"), null)?.intent).toEqual({
      type: "usage",
      about: "command",
    });
  });

  it("keeps ids beyond 2^53 to the last digit", () => {
    expect(read(raw("approve_with_ids_beyond_53_bits"))).toMatchObject({
      update_id: "9007199254740993",
      from_id: "9007199254740995",
      chat_id: "9007199254740995",
    });
  });

  it("takes a bot's placeholder for nobody, whatever else the message claims", () => {
    for (const id of [777000, 1087968824, 136817688]) {
      const update = {
        update_id: 1,
        message: {
          message_id: 1,
          date: 1,
          from: { id },
          chat: { id, type: "private" },
          text: "/approve T2-20250928-0012 yes",
        },
      };
      expect(read(JSON.stringify(update)).intent).toEqual(notPersonal("placeholder_sender"));
    }
  });

  it("answers every readable callback, refused ones too, so that no button spins", () => {
    for (const name of names.filter((name) => name.startsWith("button"))) {
      expect(read(raw(name)).callback_id, name).toMatch(/^[0-9a-z]+$/);
    }
  });

  it("writes no name, free text, nonce or pairing code into the receipt", () => {
    for (const name of names) {
      const receipt = JSON.stringify(read(raw(name)).receipt);
      expect(receipt, name).not.toMatch(/Mara|Lind|mara_lind|0f3c9d2e|Kf7-mQ2x|news|noon|привет/);
      expect(receipt.length, name).toBeLessThan(400);
    }
    expect(read(raw("approve_no_with_reason")).receipt.text).toBe(
      "/approve T2-20250928-0012 no [reason]",
    );
  });

  it("never throws, whatever JSON arrives under the right key", () => {
    const kinds = fc.constantFrom(
      "message",
      "edited_message",
      "callback_query",
      "channel_post",
      "nonsense",
      "__proto__",
    );
    fc.assert(
      fc.property(kinds, fc.jsonValue(), (kind, value) => {
        const update = read(`{"update_id":5,${JSON.stringify(kind)}:${JSON.stringify(value)}}`);
        expect(["approve", "button"]).not.toContain(update.intent.type);
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it("bounds a message that nests a hundred thousand levels deep", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    expect(readUpdate(`{"update_id":5,"message":${deep}}`, null)?.intent).toEqual(
      ignored("unreadable"),
    );
  });
});
