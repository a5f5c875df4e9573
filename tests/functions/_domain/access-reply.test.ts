import { describe, expect, it } from "vitest";
import {
  accessAnnouncementText,
  accessReplyText,
} from "../../../functions/_domain/access-reply.ts";

const granted = {
  reply: "access_granted",
  plan: "vip-30",
  expires_at: "2026-12-21T10:00:00.000Z",
  invite_link: "https://t.me/+AbC_d-9",
  link_expires_at: "2026-11-22T10:00:00.000Z",
};

describe("what a buyer is told", () => {
  it("says nothing for another reply", () => {
    expect(accessReplyText({ reply: "pending" })).toBeNull();
    expect(
      accessAnnouncementText({ topic: "alert", name: null, by: null, code: null, reason: null }),
    )
      .toBeNull();
  });

  it.each([
    ["that leads elsewhere", "https://t.me.bonus.example/+AbC"],
    ["of another scheme", "javascript:alert(1)"],
    ["with a second line", "https://t.me/+AbC\nhttps://bonus.example"],
    ["that is not there", null],
  ])("shows no link %s", (_, invite_link) => {
    const text = accessReplyText({ ...granted, invite_link })!;
    expect(text).toContain("An operator will send you the way in.");
    expect(text).not.toMatch(/bonus|javascript/);
  });

  it("shows the link, for whom it is and until when", () => {
    expect(accessReplyText(granted)).toBe(
      "Your access (vip-30) runs until 2026-12-21 10:00:00 UTC.\n" +
        "Ask to join here: https://t.me/+AbC_d-9\n" +
        "The request is let in for your account alone. The link works until 2026-11-22 10:00:00 UTC.",
    );
  });

  it("tells of arrival, refusal and end, whatever is missing", () => {
    for (const reply of ["payment_received", "payment_refused", "access_granted", "access_ended"]) {
      expect(accessReplyText({ reply })).toMatch(/unknown/);
    }
    const told = { reply: "payment_refused", refused: "wrong_amount", order_id: "a".repeat(26) };
    expect(accessReplyText(told)).toContain("The amount paid is less than the price.");
  });

  it("tells owners whose word lifted a cap, on one line per value", () => {
    const text = accessAnnouncementText({
      topic: "payment_override",
      name: "olga",
      by: "cli:ada",
      code: "a".repeat(26),
      value: "1000",
      reason: "known\nfor years",
    });
    expect(text).toContain("up to 1000 USDT, by the word of olga, recorded by cli:ada");
    expect(text).not.toContain("\n");
  });
});
