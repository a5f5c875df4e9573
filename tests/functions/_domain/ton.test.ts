import { describe, expect, it } from "vitest";
import { readNews, readTransaction, verifyTransfer } from "../../../functions/_domain/ton.ts";
import { parseExact } from "../../../functions/_domain/telegram-json.ts";

const wallet = `0:${"5a".repeat(32)}`;
const hash = "9d".repeat(32);
const news = { account_id: wallet, lt: 52_000_000_000_003, tx_hash: hash };

const shown = (message: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  hash,
  lt: 52_000_000_000_003,
  account: { address: wallet },
  success: true,
  aborted: false,
  utime: 1_795_000_000,
  in_msg: {
    msg_type: "int_msg",
    bounced: false,
    value: 10_000_000_000,
    source: { address: `0:${"17".repeat(32)}` },
    destination: { address: wallet },
    decoded_op_name: "text_comment",
    decoded_body: { text: "abcdefghijklmnopqrstuvwxyz" },
    ...message,
  },
  ...more,
});

const verified = (transaction: unknown) => {
  const read = readTransaction(transaction);
  return read && verifyTransfer(read, { wallet, lt: "52000000000003", tx_hash: hash });
};

describe("news of the chain", () => {
  it.each([
    ["an event of another type", { ...news, event_type: "opcode_msg" }],
    ["a friendly address", { ...news, account_id: "UQBaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa" }],
    ["a hash that is too short", { ...news, tx_hash: "9d" }],
    ["a logical time below zero", { ...news, lt: -1 }],
    ["a logical time of nothing", { ...news, lt: 0 }],
    ["a broken logical time", { ...news, lt: 1.5 }],
    ["a logical time that was rounded", { ...news, lt: 2 ** 60 }],
    ["nothing", null],
  ])("are not read from %s", (_, body) => expect(readNews(body)).toBeNull());

  it("are the account, the transaction and its time, in one spelling", () => {
    const told = { account: wallet, lt: "52000000000003", tx_hash: hash };
    expect(readNews(news)).toEqual(told);
    expect(
      readNews({
        ...news,
        account_id: wallet.toUpperCase(),
        tx_hash: hash.toUpperCase(),
        event_type: "account_tx",
      }),
    ).toEqual(told);
  });

  it("keep a logical time beyond 2^53 to the digit", () => {
    const text = `{"account_id":"${wallet}","lt":9007199254740993,"tx_hash":"${hash}"}`;
    expect(readNews(parseExact(text))?.lt).toBe("9007199254740993");
  });
});

describe("a transaction", () => {
  it.each([
    ["that does not say how it went", shown({}, { success: undefined })],
    ["that does not say whether it was aborted", shown({}, { aborted: undefined })],
    ["whose amount is a float", shown({ value: 1.5 })],
    ["whose amount is below zero", shown({ value: -5 })],
    ["whose amount was rounded", shown({ value: 1e20 })],
    ["without a hash", shown({}, { hash: undefined })],
  ])("%s is none", (_, body) => expect(readTransaction(body)).toBeNull());

  it.each([
    ["failed", shown({}, { success: false })],
    ["was aborted", shown({}, { aborted: true })],
    ["bounced", shown({ bounced: true })],
    ["came from nobody", shown({ source: undefined })],
    ["came from an empty address", shown({ source: { address: "" } })],
    ["came in a friendly spelling", shown({ source: { address: "UQAB" } })],
    ["went elsewhere", shown({ destination: { address: `0:${"00".repeat(32)}` } })],
    ["was another account's", shown({}, { account: { address: `0:${"00".repeat(32)}` } })],
    ["carried nothing", shown({ value: 0 })],
    ["had no message", shown({}, { in_msg: null })],
    ["came from outside", shown({ msg_type: "ext_in_msg" })],
    ["has another hash", shown({}, { hash: "11".repeat(32) })],
    ["has another time", shown({}, { lt: 7 })],
  ])("that %s is not credited, with a reason", (_, body) => {
    const answer = verified(body);
    expect(answer).toMatchObject({ ok: false });
    expect(answer && !answer.ok && answer.reason).toMatch(/^[a-z ]{10,60}$/);
  });

  it("is a transfer with its amount in base units and the chain's time", () => {
    expect(verified(shown())).toEqual({
      ok: true,
      transfer: {
        source: `0:${"17".repeat(32)}`,
        amount_nano: "10000000000",
        comment: "abcdefghijklmnopqrstuvwxyz",
        at: "1795000000",
      },
    });
  });

  it.each([
    ["of another length", { decoded_body: { text: "abc" } }],
    ["with more than the order's id", { decoded_body: { text: `${"a".repeat(26)}\nhello` } }],
    ["that is no text", { decoded_body: { text: 5 } }],
    ["that is not there", { decoded_body: undefined }],
    ["under another operation", { decoded_op_name: "jetton_notify" }],
  ])("hands on no comment %s", (_, message) => {
    const answer = verified(shown(message));
    expect(answer?.ok && answer.transfer.comment).toBeNull();
  });
});
