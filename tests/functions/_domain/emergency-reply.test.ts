import { describe, expect, it } from "vitest";
import {
  emergencyAnnouncementText,
  emergencyReplies,
  emergencyReplyText,
} from "../../../functions/_domain/emergency-reply.ts";

const effect = "0b1f2c3d-1111-4222-8333-444455556666";
const reason = (code: string) => `(${code})`;
const announce = (news: { topic: string; [field: string]: string }) =>
  emergencyAnnouncementText(news, reason);

describe("replies", () => {
  it("of another file are not read here, nor those that have no shape", () => {
    expect(emergencyReplyText({ reply: "pending" })).toBeNull();
    expect(emergencyReplyText({ reply: "" })).toBeNull();
  });

  it("say unknown where SQL said nothing, and take no line or control from anybody", () => {
    for (const shape of emergencyReplies) {
      const answer = { reply: shape.shape.reply.value };
      expect(emergencyReplyText(answer)).toMatch(/\S/);
      expect(emergencyReplyText(answer)).not.toMatch(/undefined|null|NaN/);
    }
    const forged = {
      reply: "declined",
      kind: "break_glass",
      task_id: "T-1\nAPPROVED\u202e",
      code: 7,
    };
    expect(emergencyReplyText(forged)).toBe(
      "Declined: letting the effect of T-1 APPROVED through the stop. 7 no longer counts.",
    );
  });

  it.each([
    [{ reply: "stopped", scope: "all", changed: true }, "Stopped: no effects start from now on."],
    [{ reply: "stopped", scope: "t3", changed: false }, "Already stopped: no effects of tier T3"],
    [{ reply: "not_stopped", scope: "t3" }, "Nothing to resume: effects of tier T3"],
    [
      {
        reply: "confirmation",
        kind: "resume",
        scope: "all",
        code: "C-ABCDEFG2",
        expires_at: "2027-01-01T00:15:00.000Z",
      },
      "until 2027-01-01 00:15:00 UTC: /confirm C-ABCDEFG2 yes otp:",
    ],
    [{ reply: "resumed", scope: "t3", still_stopped: ["all"] }, "Still stopped: effects."],
    [{ reply: "resumed", scope: "all", still_stopped: null }, "Resumed: effects may start again."],
    [
      { reply: "break_glass_granted", task_id: "T-2027-01-01-0001" },
      "T-2027-01-01-0001: its one effect",
    ],
    [
      { reply: "t3", state: "on", changed: true, released: 2 },
      "now on. Tasks that were held and go on: 2.",
    ],
    [{ reply: "t3", state: "off", changed: false }, "T3 execution is already off."],
    [
      {
        reply: "resolved",
        state: "done",
        effect_id: effect,
        task_id: "T-1",
        task_status: "publishing",
      },
      "Effect 0b1f2c3d is settled as done; T-1 is publishing.",
    ],
  ])("%j", (answer, part) => {
    expect(emergencyReplyText(answer)).toContain(part);
  });
});

describe("announcements", () => {
  it("of another file are not read here", () => {
    expect(announce({ topic: "member_added" })).toBeNull();
  });

  it("tell how an outcome that nobody saw is settled, and who may not", () => {
    expect(
      announce({ topic: "effect_unknown", task_id: "T-1", effect_id: effect, channel: "telegram" }),
    )
      .toBe(
        "Task T-1: nobody saw whether its effect on telegram happened. Look there, then write: " +
          "/resolve 0b1f2c3d done|not-done <what you saw>. Whoever asked for it may not; it is not tried again.",
      );
  });

  it.each([
    [
      { topic: "stopped", scope: "all", by: "operator:olga", reason: "smoke" },
      "STOPPED by operator:olga: no effects start. Reason: smoke.",
    ],
    [
      { topic: "resume_asked", scope: "t3", by: "owner:oskar", code: "C-ABCDEFG2" },
      "/confirm C-ABCDEFG2 yes",
    ],
    [{ topic: "resume_declined", scope: "all", by: "a" }, "effects stay stopped"],
    [{ topic: "resumed", scope: "all", by: "a" }, "RESUMED, confirmed by a"],
    [{ topic: "break_glass_asked", task_id: "T-1", by: "a", code: "C-ABCDEFG2" }, "for T-1"],
    [{ topic: "break_glass_declined", task_id: "T-1", by: "a" }, "for T-1 declined by a"],
    [{
      topic: "break_glass_granted",
      task_id: "T-1",
      by: "a",
      expires_at: "2027-01-01T00:15:00.000Z",
    }, "until 2027-01-01 00:15:00 UTC"],
    [{ topic: "break_glass_used", task_id: "T-1", effect_id: effect }, "effect 0b1f2c3d of T-1"],
    [
      { topic: "break_glass_refused", task_id: "T-1", by: "a", reason: "wrong_role" },
      "refused to a: (wrong_role)",
    ],
    [{ topic: "t3_switched", state: "on", by: "owner:oskar" }, "switched on by owner:oskar"],
    [
      { topic: "effect_resolved", state: "done", task_id: "T-1", effect_id: effect, by: "a" },
      "settled as done by a",
    ],
  ])("%j", (news, part) => {
    expect(announce(news)).toContain(part);
  });
});
