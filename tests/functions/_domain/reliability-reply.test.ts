import { describe, expect, it } from "vitest";
import { announcement } from "../../../functions/_domain/notification.ts";
import { reliabilityAnnouncementText } from "../../../functions/_domain/reliability-reply.ts";
import { announcementText } from "../../../functions/_domain/reply.ts";

const told = (news: Record<string, unknown>) => announcementText(announcement.parse(news));

describe("what people are told of breakers", () => {
  it("is nothing where the topic is another", () => {
    expect(reliabilityAnnouncementText({ topic: "alert", subject: "tool:quotes.read" })).toBeNull();
  });

  it("names the tool, what it said, and that nothing is lost", () => {
    const text = told({
      topic: "breaker_opened",
      subject: "quotes.read",
      reason: "HTTP 502",
      by: "breaker",
    });
    expect(text).toMatch(/^quotes\.read failed five times in a row and is left alone\./);
    expect(text).toContain("What needs it waits");
    expect(text).toContain("It said: HTTP 502.");
  });

  it("names who tripped or reset it, and why", () => {
    const news = { subject: "quotes.read", reason: "yesterday's prices", by: "cli:ada" };
    expect(told({ topic: "breaker_opened", ...news })).toMatch(
      /left alone by cli:ada.* Reason: yesterday's prices\.$/,
    );
    expect(told({ topic: "breaker_closed", ...news })).toMatch(/trusted again by cli:ada/);
    expect(told({ topic: "breaker_closed", ...news, by: "breaker" })).toMatch(/answers again/);
  });
});
