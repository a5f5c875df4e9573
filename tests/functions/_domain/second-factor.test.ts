import { describe, expect, it } from "vitest";
import { holdsCode, maskCodes, withoutCode } from "../../../functions/_domain/second-factor.ts";

describe("a code in somebody's words", () => {
  it.each([
    "otp:123456",
    "otp:1",
    "OTP: 123 456",
    "otp=123-456",
    "too late otp:123456",
    "otp 123456",
    "Otp:１２３４５６",
    "my otp is 123456",
    "otp, as you asked: 123 456 and 654321",
    "otp:123456otp:654321",
  ])("is masked: %s", (text) => {
    const masked = maskCodes(text);
    expect(masked).not.toMatch(/\p{Nd}/u);
    expect(masked).toContain("[code]");
    expect(maskCodes(masked)).toBe(masked);
  });

  it.each([
    "",
    "entry 67000, target 123456",
    "no too late",
    "the laptop 123456 is mine",
    "otp was lost, ask again at 10:45",
    "123456 came before otp",
  ])("is none: %s", (text) => {
    expect(maskCodes(text)).toBe(text);
  });
});

describe("an update", () => {
  const says = (text: unknown, kind = "message") =>
    JSON.stringify({ update_id: 1, [kind]: { message_id: 5, text } });

  it("holds no code: no text, none of its own, or somebody else's words", () => {
    const quoted = { text: "/pending", reply_to_message: { text: "write otp:123456" } };
    for (
      const raw of [
        says("/approve T3-20250928-0012 yes"),
        says(7),
        says("otp:123456", "channel_post"),
        JSON.stringify({ update_id: 1, message: quoted }),
        JSON.stringify({ update_id: 1, callback_query: { message: { text: "otp:123456" } } }),
        "{}",
        "[]",
      ]
    ) expect(holdsCode(raw), raw).toBe(false);
  });

  it("holds one wherever it was typed", () => {
    expect(holdsCode(says("/approve T3-20250928-0012 yes otp:123456"))).toBe(true);
    expect(holdsCode(says("/approve T3-20250928-0012 yes fine otp:123456"))).toBe(true);
    expect(holdsCode(says("/aprove otp 123456", "edited_message"))).toBe(true);
  });
});

describe("an intent without its code", () => {
  it("keeps the rest, and masks what was mistyped into the reason", () => {
    const intent = {
      type: "approve",
      code: "T3-20250928-0012",
      decision: "approve",
      reason: "fine otp:654321",
      otp: "123456",
    };
    expect(withoutCode(intent)).toEqual({
      intent: {
        type: "approve",
        code: "T3-20250928-0012",
        decision: "approve",
        reason: "fine otp:[code]",
      },
      otp: "123456",
    });
  });

  it("leaves an intent alone that never had one", () => {
    expect(withoutCode({ type: "help" })).toEqual({ intent: { type: "help" }, otp: null });
    expect(withoutCode({ type: "stop", reason: null })).toEqual({
      intent: { type: "stop", reason: null },
      otp: null,
    });
  });
});
