import { describe, expect, it } from "vitest";
import {
  mostGroups,
  policyChangeOf,
  replayReport,
} from "../../../functions/_domain/policy-change.ts";

const sha = "a".repeat(64);
const report = {
  replaces: "b".repeat(64),
  decisions: "12",
  reproduced: "12",
  not_reproduced: "0",
  loosened: "0",
  tightened: "1",
  not_reproduced_groups: [],
  loosened_groups: [],
  tightened_groups: [
    {
      gate: "plan",
      action: "PUBLISH",
      how: "T2 → T3",
      count: "1",
      examples: ["T-2027-05-01-0001"],
    },
  ],
};
const payload = {
  policy_sha256: sha,
  replay_sha256: "c".repeat(64),
  version: "2",
  report: { ...report, policy_sha256: sha, body_sha256: "d".repeat(64), changed: "0", changes: [] },
};

describe("a change of policy cannot be read", () => {
  it.each([
    ["from a task without a payload", null],
    ["without its policy", { ...payload, policy_sha256: undefined }],
    ["with a hash that is none", { ...payload, replay_sha256: "latest" }],
    ["without its report", { ...payload, report: undefined }],
    ["with a figure that is no text", { ...payload, report: { ...payload.report, loosened: 0 } }],
    ["with a report that says more", { ...payload, report: { ...payload.report, note: "fine" } }],
  ])("%s", (_, given) => {
    expect(policyChangeOf(JSON.parse(JSON.stringify(given)))).toBeNull();
  });
});

describe("a change of policy", () => {
  it("is its policy and its replay, and nothing else of the payload", () => {
    expect(policyChangeOf(payload)?.change).toEqual({
      policy_sha256: sha,
      replay_sha256: "c".repeat(64),
    });
  });

  it("has a report of bounded length", () => {
    const group = report.tightened_groups[0];
    const groups = Array.from({ length: mostGroups + 1 }, () => group);
    expect(replayReport.safeParse(report).success).toBe(true);
    expect(replayReport.safeParse({ ...report, tightened_groups: groups }).success).toBe(false);
  });
});
