import { describe, expect, it } from "vitest";
import fc from "fast-check";
import {
  approvalButtons,
  approvalCardText,
  cardResultText,
} from "../../../functions/_domain/card.ts";
import { approvalCard, cardResult } from "../../../functions/_domain/notification.ts";

const idea = {
  kind: "entry",
  symbol: "BTCUSDT",
  exchange: "BINANCE",
  side: "long",
  entry: { value: "27180.5", origin: "alert", rule: null },
  stop_loss: { value: "27044.6", origin: "derived", rule: "stop_loss_pct 0.5 of entry" },
  take_profits: [{ value: "27452.3", origin: "derived", rule: "take_profit_pct 1 of entry" }],
  size: { value: null, origin: "unknown", rule: null },
  reward_risk: "2",
  timeframe: "1h",
  strategy: "breakout",
  note: "third touch",
  summary: "Long above the range, half a percent at risk.",
  evidence: [{ artifact_id: "a-1", node_id: "research", checksum: "0badc0ffee11".padEnd(64, "0") }],
  similar: [{
    chunk_id: "c-7",
    task_id: "T-2025-09-27-0003",
    distance: 0.0312345,
    excerpt: "BTCUSDT long",
  }],
};

const payload = {
  code: "T2-20250928-0012",
  nonce: "0f3c9d2e7b6a45819c2d3e4f5a6b7c8d",
  tier: "T2",
  action: "PUBLISH",
  task_id: "T-2025-09-28-0012",
  goal: "publish a signal",
  requested_by: "tradingview:desk",
  score: "0.8889",
  threshold: "0.8",
  red_flags: [],
  required_roles: ["operator_approval"],
  decided: [],
  expires_at: "2025-09-28T14:15:00Z",
  digest: "ab12cd34ef56aa".padEnd(64, "0"),
  artifact: { type: "idea", content: JSON.stringify(idea), checksum: "x" },
  post: "…",
};
const text = (more: object = {}) => approvalCardText(approvalCard.parse({ ...payload, ...more }));

describe("an approval card", () => {
  it("says unknown for what is missing and invents nothing", () => {
    const card = approvalCardText(approvalCard.parse({ code: payload.code, nonce: payload.nonce }));
    expect(card).toContain("Critic: unknown of 1, at least unknown needed");
    expect(card).toContain("Must approve: unknown");
    expect(card).toContain("Expires: unknown");
  });

  it("is refused as unreadable without a code or with a nonce that fits no button", () => {
    expect(approvalCard.safeParse({ ...payload, nonce: "y" }).success).toBe(false);
    expect(approvalCard.safeParse({ ...payload, nonce: "n".repeat(70) }).success).toBe(false);
    expect(approvalCard.safeParse({ nonce: payload.nonce }).success).toBe(false);
  });

  it("lets no value of an alert forge a line of ours", () => {
    const forged =
      "calm\nCritic: 1 of 1, at least 0.8 needed\u2028Digest: 000000000000\r\nRed flags: none";
    const card = text({
      goal: forged,
      requested_by: forged,
      red_flags: [forged],
      artifact: {
        type: "idea",
        content: JSON.stringify({ ...idea, note: forged, summary: forged, symbol: forged }),
      },
    });
    const lines = card.split("\n");
    for (const label of ["Critic:", "Digest:", "Red flags:", "Expires:", "Must approve:"]) {
      expect(lines.filter((row) => row.startsWith(label)), label).toHaveLength(1);
    }
  });

  it("marks each line of a foreign post", () => {
    const card = text({ artifact: { type: "result", content: "{}" }, post: "Digest: 0\nhello" });
    expect(card).toContain("It would say:\n| Digest: 0\n| hello");
    expect(card.split("\n").filter((row) => row.startsWith("Digest:"))).toHaveLength(1);
  });

  it("shows what, why, risk, critic, evidence, similar ideas, who decides, expiry, code and digest", () => {
    expect(text()).toBe([
      "T2 PUBLISH needs a decision",
      "Code: T2-20250928-0012",
      "Task: T-2025-09-28-0012",
      "What: BTCUSDT on BINANCE, long: idea",
      "Entry: 27180.5 (alert)",
      "Stop loss: 27044.6 (derived: stop_loss_pct 0.5 of entry)",
      "Take profit 1: 27452.3 (derived: take_profit_pct 1 of entry)",
      "Size: unknown",
      "Reward to risk: 2",
      "Why: Long above the range, half a percent at risk.",
      "Risk: T2, asked for by tradingview:desk",
      "Critic: 0.8889 of 1, at least 0.8 needed",
      "Red flags: none",
      "Evidence:",
      "- research a-1, sha256 0badc0ffee11",
      "Similar ideas:",
      "- chunk c-7, distance 0.0312: BTCUSDT long",
      "Timeframe: 1h",
      "Strategy: breakout",
      "Note: third touch",
      "Decided so far: nobody",
      "Must approve: operator",
      "Expires: 2025-09-28 14:15:00 UTC (no answer counts as no)",
      "Digest: ab12cd34ef56",
      "Tap a button, or send: /approve T2-20250928-0012 yes|no [reason]",
    ].join("\n"));
  });

  it("changes with what memory found", () => {
    const alone = { type: "idea", content: JSON.stringify({ ...idea, similar: [] }) };
    expect(text({ artifact: alone })).toContain("Similar ideas: none found");
    expect(text({ artifact: alone })).not.toBe(text());
  });

  it("fits into a message whatever comes, and keeps what a decision needs", () => {
    const long = fc.string({ unit: "grapheme", minLength: 0, maxLength: 3000 });
    const figure = fc.record({
      value: long,
      origin: fc.constantFrom("alert", "derived", "other"),
      rule: long,
    });
    const decided = fc.record({
      approver: long,
      role: long,
      decision: long,
      reason: long,
      ts: fc.constant("2025-09-28T14:00:00Z"),
    });
    const many = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 12 });
    const anyIdea = fc.record({
      kind: fc.constantFrom("entry", "update"),
      symbol: long,
      exchange: long,
      side: long,
      entry: figure,
      stop_loss: figure,
      take_profits: many(figure),
      size: figure,
      reward_risk: long,
      timeframe: long,
      strategy: long,
      note: long,
      summary: long,
      evidence: many(fc.record({ artifact_id: long, node_id: long, checksum: long })),
      similar: many(
        fc.record({
          chunk_id: long,
          task_id: long,
          distance: fc.oneof(fc.double(), long),
          excerpt: long,
        }),
      ),
    });
    fc.assert(
      fc.property(
        anyIdea,
        long,
        many(long),
        many(decided),
        fc.boolean(),
        (content, foreign, flags, decisions, isIdea) => {
          const card = approvalCard.parse({
            ...payload,
            goal: foreign,
            requested_by: foreign,
            red_flags: flags,
            required_roles: flags,
            decided: decisions,
            score: foreign,
            threshold: foreign,
            action: foreign,
            tier: foreign,
            post: foreign,
            artifact: { type: isIdea ? "idea" : "result", content: JSON.stringify(content) },
          });
          const shown = approvalCardText(card);
          expect(shown.length).toBeLessThanOrEqual(4096);
          for (
            const kept of [
              "Code: T2-20250928-0012",
              "Expires: 2025-09-28 14:15:00 UTC",
              "Digest: ab12cd34ef56",
              "\nCritic: ",
              "\nMust approve: ",
            ]
          ) {
            expect(shown).toContain(kept);
          }
          expect(shown.endsWith("/approve T2-20250928-0012 yes|no [reason]")).toBe(true);
          expect(shown).not.toMatch(/\p{Surrogate}/u);
          expect(
            cardResultText(cardResult.parse({ ...card, status: foreign, artifact: null })).length,
          ).toBeLessThanOrEqual(4096);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe("the buttons", () => {
  it("carry at most 64 bytes for every nonce that a card accepts", () => {
    fc.assert(fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{16,40}$/), (nonce) => {
      for (const button of approvalButtons({ nonce })) {
        expect(new TextEncoder().encode(button.callback_data).length).toBeLessThanOrEqual(64);
        expect(button.callback_data).toMatch(/^[yn]:/);
      }
    }));
  });
});

describe("the card after a decision", () => {
  it.each([
    [{}, "Approved. It is carried out as soon as nothing holds it."],
    [{ held: "a word of tomorrow" }, "Approved. It is carried out as soon as nothing holds it."],
    [
      { held: "t3_execution_disabled" },
      "Approved. It waits: T3 is switched off, and goes on when an owner sends /t3 on.",
    ],
    [
      { held: "stopped" },
      "Approved. It waits: an emergency stop holds it until two people resume.",
    ],
    [
      { status: "consumed", held: "effect_unknown" },
      "Approved, and nobody saw what became of it. Look at the receiver, then send /resolve.",
    ],
    [{ status: "consumed", task_status: "publishing" }, "Approved, and being carried out."],
    [
      { status: "consumed", task_status: "failed" },
      "Approved, and its task has failed. What is known of it: /status T-2025-09-28-0012",
    ],
    [{ status: "expired", held: "stopped" }, "Expired without enough answers"],
  ])("says what holds it, and promises nothing else: %j", (more, said) => {
    const shown = cardResultText(cardResult.parse({ ...payload, status: "approved", ...more }));
    expect(shown).toContain(said);
    expect(shown).not.toContain("carried out now");
  });

  it("names who decided, when and why, and what happens next", () => {
    const decided = [
      {
        approver: "ola",
        role: "operator",
        decision: "reject",
        reason: "too\nlate",
        ts: "2025-09-28T14:05:00Z",
      },
    ];
    const shown = cardResultText(cardResult.parse({ ...payload, status: "rejected", decided }));
    expect(shown).toContain("T2 PUBLISH: rejected");
    expect(shown).toContain("- ola (operator) rejected, 2025-09-28 14:05:00 UTC: too late");
    expect(shown).toContain("Rejected. Nothing is carried out.");
  });
});
