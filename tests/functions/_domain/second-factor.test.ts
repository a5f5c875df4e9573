import { describe, expect, it } from "vitest";
import {
  holdsCode,
  maskCodes,
  maskSixDigits,
  withoutCode,
} from "../../../functions/_domain/second-factor.ts";

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

describe("six digits after a command that takes a code", () => {
  it.each([
    ["123456", "[code]"],
    ["opt:123456", "opt:[code]"],
    ["fine, 123 456 and 654-321.", "fine, [code] and [code]."],
    ["code１２３４５６", "code[code]"],
    ["otp:1234 or 123456", "otp:[code] or [code]"],
  ])("are masked, whatever stands before them: %s", (text, masked) => {
    expect(maskSixDigits(text)).toBe(masked);
    expect(maskSixDigits(masked)).toBe(masked);
  });

  it.each([
    "12345 and 1234567",
    "as T3-20250928-123456 was, and T-2025-09-28-123456",
    "the same as C-AB234567",
    "entry 67000, target 68500.5",
  ])("are none: %s", (text) => {
    expect(maskSixDigits(text)).toBe(text);
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

  it("holds none where six digits name a request, or follow a command that takes no code", () => {
    for (
      const text of [
        "/approve T3-20250928-123456 yes",
        "/approve T-2025-09-28-123456 no 12345",
        "/confirm C-AB234567 yes",
        "/stop at 123456",
        "/t3x 123456",
        "the order 123456",
      ]
    ) expect(holdsCode(says(text)), text).toBe(false);
  });

  it.each([
    "/approve T3-20250928-0012 yes 123456",
    "/approve@dynamic_ags_bot T3-20250928-0012 yes opt:123456",
    "/confirm C-AB234567 yes 123456",
    "/Confirm C-AB234567 yes 123-456",
    "/t3 on 123 456",
    "/t3 on\u200b 123456",
  ])("holds one though the word otp is missing: %s", (text) => {
    expect(holdsCode(says(text))).toBe(true);
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

  it("masks six digits in the reason of a decision, and of nothing else", () => {
    const reason = "fine 654321";
    expect(withoutCode({ type: "approve", reason, otp: null }).intent)
      .toEqual({ type: "approve", reason: "fine [code]" });
    expect(withoutCode({ type: "stop", reason }).intent).toEqual({ type: "stop", reason });
  });

  it("leaves an intent alone that never had one", () => {
    expect(withoutCode({ type: "help" })).toEqual({ intent: { type: "help" }, otp: null });
    expect(withoutCode({ type: "stop", reason: null })).toEqual({
      intent: { type: "stop", reason: null },
      otp: null,
    });
  });
});
