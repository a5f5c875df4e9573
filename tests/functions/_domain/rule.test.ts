import { describe, expect, it } from "vitest";
import { parseRule } from "../../../functions/_domain/rule.ts";

describe("an approval rule", () => {
  it.each([
    "critic",
    "critic>=",
    "critic>0.8",
    "critic>=.8",
    "critic>=0.",
    "critic>=8",
    "critic>=1.01",
    "critic>=-0.8",
    "critic>=0.80001",
    "critic>=8e-1",
    "critic >= 0.8",
    "critic>=0.8 ",
    "critic>=0.8\n",
    "CRITIC>=0.8",
    "operator",
    "Operator_approval",
    "operator_approval?",
    "not owner_approval",
    "reviewer_approval",
    "toString",
    "",
  ])("refuses the token %j", (token) => {
    expect(parseRule(["operator_approval", token])).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^unknown token/),
    });
  });

  it("refuses two thresholds, since either could be the one that was meant", () => {
    expect(parseRule(["critic>=0.8", "critic>=0.9"]).ok).toBe(false);
  });

  it("refuses an approval that stands twice, since one person would give both", () => {
    expect(parseRule(["owner_approval", "owner_approval"]).ok).toBe(false);
  });

  it.each([
    [["critic>=0.8", "operator_approval"], 0.8, ["operator_approval"]],
    [
      ["critic>=0.9", "operator_approval", "owner_approval", "dry_run_required"],
      0.9,
      ["operator_approval", "owner_approval", "dry_run_required"],
    ],
    [["dry_run_required"], null, ["dry_run_required"]],
    [["critic>=1"], 1, []],
    [["critic>=0"], 0, []],
    [["critic>=0.7778"], 0.7778, []],
    [[], null, []],
  ])("reads %j", (tokens, min_score, flags) => {
    expect(parseRule(tokens)).toEqual({ ok: true, rule: { min_score, flags } });
  });
});
