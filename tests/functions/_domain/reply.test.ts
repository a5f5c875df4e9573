import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { announcement, reply } from "../../../functions/_domain/notification.ts";
import { refusals } from "../../../functions/_domain/refusal.ts";
import {
  announcementText,
  callbackText,
  refusalText,
  replyText,
} from "../../../functions/_domain/reply.ts";

const text = (payload: unknown) => replyText(reply.parse(payload));
const news = (payload: unknown) => announcementText(announcement.parse(payload));

describe("a reply", () => {
  it("tells a stranger the numeric id and nothing else", () => {
    expect(text({ reply: "stranger", telegram_user_id: "611000111" })).toBe("611000111");
    expect(text({ reply: "stranger", telegram_user_id: "611000111", refused: "pairing_failed" }))
      .toBe(
        "611000111",
      );
  });

  it("has a sentence for every refusal, and never an unknown code's guess", () => {
    for (const code of Object.keys(refusals)) {
      expect(refusalText(code), code).toMatch(/^[A-Z].+\.$/);
    }
    expect(refusalText("toString")).toBe("Refused (toString).");
    expect(
      text({ reply: "refused", refused: "self_approval", code: "T2-20250928-0012", task_id: "x" }),
    )
      .toBe("T2-20250928-0012: Nobody approves what they asked for. Another member has to decide.");
    expect(text({ reply: "refused", refused: "not_found", id: "T-2025-09-28-0099" }))
      .toBe("T-2025-09-28-0099: There is no such object. Compare the id, or send /pending.");
  });

  it("says how to write a command that was not understood", () => {
    expect(text({ reply: "usage", about: "approve" })).toContain(
      "/approve <code> yes|no [otp:<6 digits>] [reason]",
    );
    expect(text({ reply: "usage", about: "command" })).toContain("/pending");
    expect(text({ reply: "usage", about: "constructor" })).toContain("/help");
  });

  it("shows in /pending what waits, for whom, and which member cannot be reached", () => {
    expect(text({ reply: "pending", requests: [] })).toBe("Nothing waits for a decision.");
    expect(text({
      reply: "pending",
      requests: [{
        code: "T3-20250928-0002",
        tier: "T3",
        action: "TRADE",
        summary: "buy\nnow",
        expires_at: "2025-09-29T10:00:00Z",
        required_roles: ["operator_approval", "owner_approval"],
        decided: [{ approver: "mara", role: "owner", decision: "approve" }],
      }],
      unreachable: [{ name: "ola", role: "operator" }],
    })).toBe([
      "Waiting for a decision: 1",
      "T3-20250928-0002 TRADE: buy now",
      "- needs operator, owner, until 2025-09-29 10:00:00 UTC",
      "- mara (owner): approve",
      "The bot cannot write to ola (operator): they have to send it /start.",
    ].join("\n"));
  });

  it("says where a task stands and why it ended", () => {
    const shown = text({
      reply: "status",
      task_id: "T-2025-09-28-0012",
      status: "rejected",
      tier: "T2",
      action: "PUBLISH",
      summary: "signal",
      reason: "insufficient_data",
      code: null,
      created_at: "2025-09-28T14:00:00Z",
      steps: [{ node_id: "act", status: "failed", agent: "trader:v1" }],
    });
    expect(shown).toContain("T-2025-09-28-0012: rejected");
    expect(shown).toContain("Reason: A figure that the proposal needs is missing.");
    expect(shown).toContain("- act: failed (trader:v1)");
  });

  it("says that a second person is still needed", () => {
    const decided = {
      reply: "decided",
      code: "T3-20250928-0002",
      decision: "approve",
      required_roles: ["operator_approval", "owner_approval"],
    };
    expect(text({ ...decided, status: "open" })).toBe(
      "Approved: T3-20250928-0002. It still needs another person (operator, owner).",
    );
    expect(text({ ...decided, status: "approved" })).toBe(
      "Approved: T3-20250928-0002. The request is approved.",
    );
  });

  it("fits into one message whatever it quotes", () => {
    const long = fc.string({ unit: "grapheme", maxLength: 2000 });
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            code: long,
            action: long,
            summary: long,
            required_roles: fc.array(long, { maxLength: 9 }),
            decided: fc.array(fc.record({ approver: long, role: long, decision: long }), {
              maxLength: 5,
            }),
          }),
          { maxLength: 12 },
        ),
        (requests) => {
          const unreachable = requests.map(({ code, action }) => ({ name: code, role: action }));
          const shown = text({ reply: "pending", requests, unreachable });
          // Below the limit, so that nothing was cut off at the end.
          expect(shown.length).toBeLessThan(4096);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("what a tapped button shows", () => {
  it("is one line of at most 200 characters: the outcome or the refusal", () => {
    expect(
      callbackText({
        reply: "decided",
        code: "T2-20250928-0012",
        decision: "reject",
        status: "rejected",
      }),
    )
      .toBe("Rejected: T2-20250928-0012. The request is rejected.");
    expect(callbackText({ refused: "not_a_member" })).toContain("not a member");
    expect(callbackText({})).toBe("");
    for (const code of Object.keys(refusals)) {
      const shown = callbackText({ reply: "refused", refused: code, code: "T2-20250928-0012" });
      expect(shown.length, code).toBeLessThanOrEqual(200);
      expect(shown, code).not.toContain("\n");
    }
  });
});

describe("an announcement", () => {
  it("names the topic when it is a new one, and never stays silent", () => {
    expect(news({ topic: "comet_sighted", task_id: "T-1" })).toBe("comet_sighted: T-1.");
  });

  it.each([
    [
      { topic: "member_added", name: "ola", role: "operator", by: "mara" },
      "ola (operator) was added by mara",
    ],
    [
      { topic: "member_removed", name: "ola", role: "operator", by: "mara" },
      "ola (operator) was removed by mara",
    ],
    [
      { topic: "member_unreachable", name: "ola", role: "operator" },
      "cannot write to ola (operator)",
    ],
    [
      { topic: "no_approver", code: "T3-20250928-0002", required_roles: ["owner_approval"] },
      "it needs owner. Add such a member.",
    ],
    [
      { topic: "task_rejected", task_id: "T-1", reason: "approval_rejected", goal: "x" },
      "Task T-1 was rejected. A person said no. It was: x.",
    ],
    [
      { topic: "task_failed", task_id: "T-1", reason: "unavailable" },
      "Task T-1 failed. The database did not answer. See /status T-1.",
    ],
    [
      { topic: "effect_unknown", task_id: "T-1", effect_id: "e-1", channel: "telegram" },
      "it is not tried again",
    ],
    [
      { topic: "request_expired", code: "T2-20250928-0012" },
      "T2-20250928-0012 expired without a decision",
    ],
    [{ topic: "incident", task_id: "T-1", reason: "effect_unknown" }, "Incident in T-1."],
  ])("says what to do: %j", (payload, sentence) => {
    expect(news(payload)).toContain(sentence);
  });
});
