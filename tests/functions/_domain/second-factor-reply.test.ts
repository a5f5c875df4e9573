import { describe, expect, it } from "vitest";
import {
  secondFactorAnnouncementText,
  secondFactorReplies,
  secondFactorReplyText,
} from "../../../functions/_domain/second-factor-reply.ts";

const read = (answer: object) => secondFactorReplyText(secondFactorReplies[0].parse(answer));

describe("how a code is given", () => {
  it("is nobody else's reply or topic", () => {
    expect(secondFactorReplyText({ reply: "help" })).toBeNull();
    expect(secondFactorAnnouncementText({ topic: "member_added" })).toBeNull();
  });

  it("is told with the code of the request, to be typed", () => {
    const text = read({
      reply: "second_factor",
      code: "T3-20250928-0012",
      enrolled: true,
      more: 1,
    });
    expect(text).toContain("/approve T3-20250928-0012 yes otp:123456");
    expect(text!.length).toBeLessThan(200);
  });

  it("is told with what is missing first to whoever has no authenticator", () => {
    expect(read({ reply: "second_factor", code: "T3-20250928-0012", enrolled: false })).toMatch(
      /^You have no authenticator here yet/,
    );
  });

  it("forges no line by what it names", () => {
    expect(read({ reply: "second_factor", code: "T3\nApproved.", enrolled: true })).not.toContain(
      "\n",
    );
    expect(secondFactorAnnouncementText({ topic: "second_factor_removed", name: "a\nb", by: null }))
      .toBe("a b has no authenticator for approvals any more, removed by unknown.");
  });

  it("tells owners of each change and of a new signing key", () => {
    const news = { name: "olga", role: "owner", by: "cli:jane" };
    expect(secondFactorAnnouncementText({ topic: "second_factor_enrolled", ...news })).toContain(
      "enrolled by cli:jane",
    );
    expect(secondFactorAnnouncementText({ topic: "signing_key_added", name: "0123456789abcdef" }))
      .toContain("key 0123456789abcdef");
  });
});
