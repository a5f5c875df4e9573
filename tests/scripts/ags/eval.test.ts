import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type GoldCase, judgeCase, judgeSet } from "../../../scripts/ags/gold.ts";
import { policy } from "../../support/line.ts";

const lines = (set: string) =>
  readFileSync(new URL(`../../gold/${set}.jsonl`, import.meta.url), "utf8");

describe.each(["signals", "summaries", "support"])("the gold set of %s", (set) => {
  it("has at least a dozen cases, good and bad", () => {
    const cases = lines(set).trim().split("\n").map((line): GoldCase => JSON.parse(line));
    expect(cases.length).toBeGreaterThanOrEqual(12);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    for (const verdict of ["pass", "fail"]) {
      expect(cases.filter(({ expect }) => expect.verdict === verdict).length).toBeGreaterThan(3);
    }
  });

  it("comes out as it was marked", async () => {
    expect(await judgeSet(policy, set, lines(set))).toMatchObject({ failures: [] });
  });
});

describe("a case that went wrong", () => {
  const good: GoldCase = JSON.parse(lines("signals").split("\n")[0]);

  it.each(
    [
      ["another verdict", { verdict: "fail" }, /verdict pass/],
      ["a flag that was not raised", { verdict: "pass", flags: ["leverage"] }, /no "leverage"/],
      ["a figure that is not in the text", { text: ["99999"] }, /no "99999"/],
      ["words that are in the text", { without: ["BTCUSDT"] }, /"BTCUSDT" in the text/],
      ["a refusal that did not come", { refused: "insufficient_data" }, /not refused/],
    ] as const,
  )("is told by %s", async (_, expected, why) => {
    const wrong = await judgeCase(policy, { ...good, expect: expected as GoldCase["expect"] });
    expect(wrong.join("; ")).toMatch(why);
  });

  it("is told by a refusal that nobody expected", async () => {
    const wrong = await judgeCase(policy, { ...good, alert: { action: "buy", symbol: "BTCUSDT" } });
    expect(wrong).toEqual(["refused with insufficient_data"]);
  });

  it("is told when the policy loses its grip", async () => {
    const lax = structuredClone(policy);
    lax.guardrails.signal.min_reward_risk = "0.1";
    const result = await judgeSet(lax, "signals", lines("signals"));
    expect(result.passed).toBeLessThan(result.cases);
  });
});
