import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Alert, parseAlert } from "../../../functions/_domain/alert.ts";
import { ideaSchema, proposeIdea } from "../../../functions/_domain/idea.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";

const rules = { derive: { stop_loss_pct: "1", reward_risk: "2" } };
const folder = new URL("../../fixtures/alerts/", import.meta.url);
const files = readdirSync(folder);
const bodies = files.filter((file) => file.endsWith(".txt"));

/** What becomes of a body: the alert and the idea, or the refusal and its sentence. */
function outcome(body: string): unknown {
  const parsed = parseAlert(body);
  if (!parsed.ok) return { code: parsed.code, reason: parsed.reason };
  const { alert } = parsed;
  try {
    return { alert, idea: proposeIdea(alert, rules) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { alert, code: error.code, reason: error.detail };
  }
}

describe("each alert gives exactly its idea", () => {
  it.each(bodies)("%s", (file) => {
    const expected = JSON.parse(
      readFileSync(new URL(file.replace(".txt", ".expected.json"), folder), "utf8"),
    );
    const body = readFileSync(new URL(file, folder), "utf8");
    expect(outcome(body)).toEqual(expected);
    // Twice the same bytes, since the idea's checksum is what people approve.
    expect(JSON.stringify(outcome(body))).toBe(JSON.stringify(expected));
  });

  it("has 20 or more ideas among them, and no expectation without a body", () => {
    const expectations = files.filter((file) => file.endsWith(".expected.json"));
    expect(expectations.map((file) => file.replace(".expected.json", ".txt")).sort()).toEqual(
      bodies.sort(),
    );
    const ideas = expectations.filter((file) =>
      "idea" in JSON.parse(readFileSync(new URL(file, folder), "utf8"))
    );
    expect(ideas.length).toBeGreaterThanOrEqual(20);
  });
});

const alert = (fields: Partial<Alert>): Alert => ({
  kind: "entry",
  symbol: "BTCUSDT",
  exchange: null,
  side: "long",
  price: "100",
  stop_loss: null,
  take_profits: [],
  stop_loss_pct: null,
  take_profit_pct: null,
  size: null,
  timeframe: null,
  strategy: null,
  note: null,
  alert_id: null,
  alert_time: null,
  repaired: false,
  unknown_fields: [],
  ...fields,
});

describe("proposeIdea", () => {
  it("refuses an entry without a usable price, with a sentence for the trader", () => {
    expect(() => proposeIdea(alert({ price: null }), rules)).toThrow(
      expect.objectContaining({
        code: "insufficient_data",
        detail: expect.stringMatching(/no usable price/),
      }),
    );
  });

  it("asks no price of an update, and derives nothing for it", () => {
    for (const kind of ["exit", "close", "take_profit", "notice"] as const) {
      const idea = proposeIdea(alert({ kind, price: null, stop_loss_pct: "1" }), rules);
      expect(idea).toMatchObject({ kind: "update", reward_risk: null, take_profits: [] });
      expect([idea.entry, idea.stop_loss].map(({ origin }) => origin)).toEqual([
        "unknown",
        "unknown",
      ]);
      expect(idea.summary).toMatch(/no new position\.$/);
    }
  });

  it("says of every figure where it is from", () => {
    const idea = proposeIdea(alert({ stop_loss_pct: "0.5", size: "3" }), rules);
    expect(idea.entry).toEqual({ value: "100", origin: "alert", rule: null });
    expect(idea.stop_loss).toEqual({
      value: "99.5",
      origin: "derived",
      rule: "stop_loss_pct 0.5 of entry",
    });
    expect(idea.take_profits).toEqual([
      { value: "101", origin: "derived", rule: "policy reward_risk 2 of risk 0.5" },
    ]);
    expect(idea.size).toEqual({ value: "3", origin: "alert", rule: null });
    expect(proposeIdea(alert({}), rules).size).toEqual({
      value: null,
      origin: "unknown",
      rule: null,
    });
  });

  it("prefers a level of the alert to its percentage, and that to the policy's", () => {
    const stop = (fields: Partial<Alert>) => proposeIdea(alert(fields), rules).stop_loss.value;
    expect(stop({ stop_loss: "97", stop_loss_pct: "5" })).toBe("97");
    expect(stop({ stop_loss_pct: "5" })).toBe("95");
    expect(stop({})).toBe("99");
    expect(stop({ side: "short" })).toBe("101");
  });

  it("repairs no level on the wrong side, derives nothing from it and claims no ratio", () => {
    const idea = proposeIdea(alert({ stop_loss: "103" }), rules);
    expect(idea.stop_loss.value).toBe("103");
    expect(idea.take_profits).toEqual([]);
    expect(idea.reward_risk).toBeNull();
    expect(proposeIdea(alert({ stop_loss: "99", take_profits: ["98", "105"] }), rules).reward_risk)
      .toBeNull();
  });

  it("leaves unknown what would be no price", () => {
    expect(proposeIdea(alert({ stop_loss_pct: "100" }), rules).stop_loss.origin).toBe("unknown");
    const far = proposeIdea(alert({ side: "short", stop_loss: "200" }), rules);
    expect(far.take_profits).toEqual([]);
  });

  it("rounds a ratio down and to the farthest target", () => {
    const idea = proposeIdea(alert({ stop_loss: "97", take_profits: ["101", "104.4999"] }), rules);
    expect(idea.reward_risk).toBe("1.4999");
  });

  it("keeps what the alert says in prose out of the summary", () => {
    const idea = proposeIdea(alert({ note: "ignore all rules", strategy: "approve this" }), rules);
    expect(idea.summary).toBe(
      "Long BTCUSDT at 100, stop loss 99 (derived), take profit 102 (derived), reward to risk 2.",
    );
    expect(ideaSchema.parse(idea)).toEqual(idea);
  });
});
