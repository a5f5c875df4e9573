import { describe, expect, it } from "vitest";
import type { AgentContext } from "../../../functions/_agents/agent.ts";
import { findings } from "../../../functions/_agents/critic.ts";
import { composeProposal } from "../../../functions/_agents/executor.ts";
import { policyDryRun, withPolicyChange } from "../../../functions/_agents/policy-dry-run.ts";
import type { Input, StepWork } from "../../../functions/_domain/task.ts";
import { shippedPolicy } from "../_policy/shipped-policy.ts";

const sha = "3f".repeat(32);
const report = {
  replaces: "b7".repeat(32),
  policy_sha256: sha,
  body_sha256: "d0".repeat(32),
  decisions: "12",
  reproduced: "12",
  not_reproduced: "0",
  loosened: "1",
  tightened: "0",
  not_reproduced_groups: [],
  loosened_groups: [{
    gate: "decide",
    action: "PUBLISH",
    how: "a yes of owner counts for operator_approval",
    count: "1",
    examples: ["T-2027-05-01-0001"],
  }],
  tightened_groups: [],
  changed: "2",
  changes: ["approvals.T2: 1 → 2", "version: 1 → 2"],
};
const input = (node_id: string, type: string, content: string): Input => ({
  node_id,
  agent: node_id === "act" ? "executor:v2" : "retriever:v1",
  artifact_id: `${node_id}-artifact`,
  type,
  storage_ref: "supa://x",
  checksum: "e".repeat(64),
  content,
});
const retrieval = input("retrieve", "retrieval", '{"chunks": []}');

const work = (inputs: Input[], payload: unknown): StepWork => ({
  node_id: "dry_run",
  task: {
    task_id: "T-2027-05-01-0002",
    goal:
      "Put policy version 2 in force (3f3f3f3f3f3f): of 12 decisions on record it would take 1 more loosely and 0 more strictly",
    actor: "cli:somebody",
    action: "POLICY_CHANGE",
    risk_tier: "T3",
    source: "policy",
    flow: "execute",
    payload,
  },
  inputs,
} as unknown as StepWork);
const payload = {
  policy_sha256: sha,
  replay_sha256: "c1".repeat(32),
  replaces: report.replaces,
  version: "2",
  decisions: "12",
  not_reproduced: "0",
  loosened: "1",
  tightened: "0",
  report,
};
const record = { policy_sha256: sha, body_sha256: report.body_sha256 };
const context = {
  tool: (_name, run) => run(),
  read_policy: () => Promise.resolve(record),
} as Pick<AgentContext, "tool" | "read_policy"> as AgentContext;
const linesWith = async (more: Record<string, unknown>): Promise<string[]> => {
  const { artifact } = await policyDryRun(
    work([input("act", "proposal", "{}")], { ...payload, report: { ...report, ...more } }),
    context,
  );
  return JSON.parse(artifact!.content).lines;
};

describe("a policy change is not rehearsed", () => {
  it("without a report", async () => {
    const proposal = input("act", "proposal", "{}");
    await expect(policyDryRun(work([proposal], { ...payload, report: {} }), context))
      .rejects.toMatchObject({ code: "insufficient_data" });
  });

  it("where what is on record cannot be looked up", async () => {
    const { read_policy: _, ...blind } = context;
    await expect(policyDryRun(work([input("act", "proposal", "{}")], payload), blind))
      .rejects.toMatchObject({ code: "unavailable" });
  });

  it.each([
    ["another body than its report names", { ...record, body_sha256: "0".repeat(64) }],
    ["another text", { ...record, policy_sha256: "0".repeat(64) }],
  ])("where %s is on record", async (_, found) => {
    await expect(
      policyDryRun(work([input("act", "proposal", "{}")], payload), {
        ...context,
        read_policy: () => Promise.resolve(found),
      }),
    ).rejects.toMatchObject({ code: "digest_drift" });
  });

  it("without a proposal", async () => {
    await expect(policyDryRun(work([retrieval], payload), context))
      .rejects.toMatchObject({ code: "insufficient_data" });
  });

  it("by an agent that may not read", async () => {
    const tool = () => Promise.reject(new Error("tool_denied"));
    await expect(
      policyDryRun(work([input("act", "proposal", "{}")], payload), { ...context, tool }),
    )
      .rejects.toThrow("tool_denied");
  });
});

describe("the rehearsal of a policy change", () => {
  it("is its replay, for the newest proposal and by its hash", async () => {
    const old = { ...input("act", "proposal", "{}"), checksum: "0".repeat(64) };
    const { artifact } = await policyDryRun(
      work([old, input("act", "proposal", "{}")], payload),
      context,
    );
    expect(artifact).toMatchObject({ type: "dry_run", media_type: "application/json" });
    expect(JSON.parse(artifact!.content)).toMatchObject({
      subject_sha256: "e".repeat(64),
      policy_sha256: sha,
      replay_sha256: payload.replay_sha256,
      report,
      lines: [
        "approvals.T2: 1 → 2",
        "version: 1 → 2",
        "Of 12 decisions on record 12 were reproduced.",
        "1 would be taken more loosely, 0 more strictly.",
        "Looser: 1 × decide PUBLISH: a yes of owner counts for operator_approval",
      ],
    });
  });
});

describe("what people read of a policy change", () => {
  it("says so where nothing but the wording changes", async () => {
    expect((await linesWith({ changes: [], changed: "0" }))[0]).toContain("only the wording");
  });

  it("begins with what changes, and has at most twelve lines", async () => {
    const [group] = report.loosened_groups;
    const lines = await linesWith({
      changes: [...Array.from({ length: 20 }, (_, i) => `limits.x${i}: 1 → 2`), "and 5 more"],
      changed: "25",
      loosened_groups: Array.from({ length: 9 }, () => group),
      tightened_groups: Array.from({ length: 9 }, () => group),
    });
    expect(lines).toHaveLength(12);
    expect(lines.slice(0, 2)).toEqual(["limits.x0: 1 → 2", "limits.x1: 1 → 2"]);
    expect(lines[6]).toBe("and 19 more changes");
    expect(lines[7]).toContain("on record");
  });
});

describe("the proposal of a policy change", () => {
  it("names the policy and its replay; any other proposal names none", () => {
    expect(withPolicyChange({ text: "as asked" }, work([], payload))).toEqual({
      text: "as asked",
      policy: { policy_sha256: sha, replay_sha256: payload.replay_sha256 },
    });
    const trade = work([], payload);
    trade.task.action = "TRADE";
    for (const other of [trade, work([], { policy: "new" })]) {
      expect(withPolicyChange({ text: "as asked" }, other)).toEqual({ text: "as asked" });
    }
  });

  it("gets full marks from the critic: its hashes are no secrets, its figures are the request's", async () => {
    const asked = work([retrieval], payload);
    const content = JSON.stringify(composeProposal({ ...asked, node_id: "act" }));
    const found = findings({
      artifact: input("act", "proposal", content),
      inputs: [retrieval],
      task: asked.task,
      critic: "critic:guard-v4",
      policy: await shippedPolicy(),
    });
    expect(found).toEqual({
      policy: { mark: 1, lost: [] },
      evidence: { mark: 2, lost: [] },
      factuality: { mark: 3, lost: [] },
      clarity: { mark: 2, lost: [] },
      risk: { mark: 1, lost: [] },
    });
  });
});
