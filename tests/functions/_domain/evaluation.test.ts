import { describe, expect, it } from "vitest";
import {
  checksOf,
  criteria,
  criteriaOfCheck,
  criterionNames,
  criticRequestSchema,
  evaluationSchema,
  floorScore,
  readRubric,
  type Rubric,
  score,
  total,
  totalMax,
  verdict,
} from "../../../functions/_domain/evaluation.ts";

const full: Rubric = { policy: 1, evidence: 2, factuality: 3, clarity: 2, risk: 1 };
const without = (change: Partial<Rubric>): Rubric => ({ ...full, ...change });

describe("rubric", () => {
  it.each([
    ["a mark above its maximum", { ...full, evidence: 2.01 }],
    ["a negative mark", { ...full, clarity: -0.1 }],
    ["NaN", { ...full, factuality: NaN }],
    ["Infinity", { ...full, factuality: Infinity }],
    ["a number as text", { ...full, evidence: "2" }],
    ["null", { ...full, risk: null }],
    ["half a yes", { ...full, policy: 0.5 }],
    ["a missing criterion", { policy: 1, evidence: 2, factuality: 3, clarity: 2 }],
    ["a criterion it does not have", { ...full, style: 1 }],
    ["no object", "9/9"],
  ])("refuses %s with score_out_of_range", (_, rubric) => {
    expect(() => readRubric(rubric)).toThrow(/^score_out_of_range/);
  });

  it("refuses to total marks that it would not read", () => {
    expect(() => score({ ...full, evidence: 40 })).toThrow(/^score_out_of_range/);
  });

  it("gives 9 at most, so that 9 of 9 is a score of 1", () => {
    expect(criterionNames.reduce((sum, name) => sum + criteria[name], 0)).toBe(totalMax);
    expect([total(full), score(full)]).toEqual([9, 1]);
  });

  it("rounds a score to four decimals and leaves no float dust in a total", () => {
    expect(score(without({ evidence: 1 }))).toBe(0.8889);
    expect(total(without({ evidence: 0.1, clarity: 0.2 }))).toBe(5.3);
    expect(floorScore).toBe(0.7778);
  });

  it("maps the four check names onto the five criteria, each exactly once", () => {
    expect(Object.values(criteriaOfCheck).flat().sort()).toEqual([...criterionNames].sort());
  });
});

describe("verdict", () => {
  const seven = without({ evidence: 0 });

  it("fails a total just under 7, whatever the threshold", () => {
    expect(verdict(without({ evidence: 0, clarity: 1.99 }), 0, [])).toBe("fail");
    expect(verdict(seven, 0, [])).toBe("pass");
  });

  it("fails 9 of 9 with a red flag", () => {
    expect(verdict(full, 0.8, ["policy: something"])).toBe("fail");
  });

  it.each([["policy"], ["risk"]])(
    "takes %s 0 as a red flag although 8 of 9 are reached",
    (name) => {
      expect(verdict(without({ [name]: 0 }), 0.5, [])).toBe("fail");
    },
  );

  it("lets 7 of 9 pass a tier without a threshold of its own, and fail at 0.8", () => {
    expect(verdict(seven, floorScore, [])).toBe("pass");
    expect(verdict(seven, 0.8, [])).toBe("fail");
  });

  it("holds the thresholds of publishing and trading exactly", () => {
    const eight = without({ evidence: 1 });
    expect([verdict(eight, 0.8, []), verdict(eight, 0.8889, []), verdict(eight, 0.9, [])])
      .toEqual(["pass", "pass", "fail"]);
    expect(verdict(full, 0.9, [])).toBe("pass");
  });

  it.each([[-0.1], [1.1], [NaN]])("refuses the threshold %s", (threshold) => {
    expect(() => verdict(full, threshold, [])).toThrow(/^score_out_of_range/);
  });
});

describe("checks", () => {
  it("fail by name with what was lost, and stay silent about the rest", () => {
    const checks = checksOf(without({ evidence: 1 }), {
      policy: [],
      evidence: ["one of two sources cited"],
      factuality: [],
      clarity: [],
      risk: [],
    });
    expect(checks.map(({ name, passed }) => [name, passed])).toEqual([
      ["policy", true],
      ["factuality", false],
      ["format", true],
      ["risk", true],
    ]);
    expect(checks[1]!.detail).toBe("factuality 3 of 3, evidence 1 of 2; one of two sources cited");
  });
});

describe("critic request", () => {
  const request = (change: object) =>
    criticRequestSchema.safeParse({
      input_ref: "supa://artifacts/7d3f/idea.json",
      checks: ["policy", "factuality", "format", "risk"],
      threshold: 0.8,
      ...change,
    });

  it.each([
    ["a threshold above 1", { threshold: 1.01 }],
    ["a threshold as text", { threshold: "0.8" }],
    ["an unknown check", { checks: ["policy", "style"] }],
    ["a check named twice", { checks: ["risk", "risk"] }],
    ["no checks", { checks: [] }],
    ["a reference that is none of ours", { input_ref: "https://example.org/idea.json" }],
    ["a reference that climbs", { input_ref: "supa://artifacts//x" }],
    ["a field that it does not know", { model: "any" }],
  ])("refuses %s", (_, change) => {
    expect(request(change).success).toBe(false);
  });

  it("takes all four checks where the caller names none, and leaves the threshold to the policy", () => {
    expect(criticRequestSchema.parse({ input_ref: "supa://artifacts/7d3f" })).toEqual({
      input_ref: "supa://artifacts/7d3f",
      checks: ["policy", "factuality", "format", "risk"],
    });
  });
});

describe("stored evaluation", () => {
  const stored = {
    critic: "critic:guard-v4",
    artifact_id: "9f0c",
    artifact_checksum: "ab".repeat(32),
    rubric: full,
    total: 9,
    score: 1,
    checks: [],
    red_flags: [],
    threshold: 0.8,
    verdict: "pass",
    notes: [],
  };

  it.each([["score", 1.7], ["score", "0.95"], ["score", null], ["total", 10], [
    "verdict",
    "maybe",
  ]])(
    "is refused with %s %s",
    (field, value) => {
      expect(evaluationSchema.safeParse(stored).success).toBe(true);
      expect(evaluationSchema.safeParse({ ...stored, [field]: value }).success).toBe(false);
    },
  );
});
