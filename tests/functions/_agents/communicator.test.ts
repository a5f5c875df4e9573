import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { composePost, postOf } from "../../../functions/_agents/communicator.ts";
import type { Input, StepWork } from "../../../functions/_domain/task.ts";

const taskId = "T-2025-09-28-0012";
const idea = {
  kind: "entry",
  symbol: "ETHUSD",
  exchange: "COINBASE",
  side: "short",
  entry: { value: "1590.2", origin: "alert", rule: null },
  stop_loss: { value: "1606.1", origin: "derived", rule: "stop_loss_pct 1 of entry" },
  take_profits: [{ value: "1558.4", origin: "alert", rule: null }],
  size: { value: null, origin: "unknown", rule: null },
  reward_risk: "2",
  timeframe: null,
  strategy: null,
  note: null,
  summary: "Short below support.",
  evidence: [{ artifact_id: "a-1", node_id: "research", checksum: "feedface0001".padEnd(64, "0") }],
  similar: [{ chunk_id: "c-1", task_id: "T-2025-09-20-0001", distance: 0.25, excerpt: "…" }],
};
const input = (type: string, content: string): Input => ({
  node_id: "act",
  agent: "trader:v1",
  artifact_id: `a-${type}`,
  type,
  storage_ref: "supa://x",
  checksum: "0",
  content,
});
const work = (inputs: Input[]): StepWork => ({
  step_id: "s",
  task_id: taskId,
  node_id: "publish",
  agent: "communicator:v1",
  agent_class: "communicator",
  action: "PUBLISH",
  tier: "T2",
  attempt: 1,
  lease_token: "l",
  lease_expires_at: "2025-09-28T14:00:30Z",
  input_hash: "h",
  is_effect: false,
  inputs,
  task: {
    task_id: taskId,
    goal: "g",
    actor: "a",
    action: "PUBLISH",
    risk_tier: "T2",
    source: "tradingview",
    flow: "signal",
    payload: {},
    created_at: "2025-09-28T14:00:00Z",
  },
});

describe("composing a post", () => {
  it("refuses where there is nothing to publish, nothing readable, no instrument, no price or no text", () => {
    const refused = (inputs: Input[]) =>
      expect(() => composePost(work(inputs))).toThrow(/^insufficient_data/);
    refused([]);
    refused([input("research", "{}")]);
    refused([input("idea", "not json")]);
    refused([input("idea", JSON.stringify({ ...idea, symbol: null }))]);
    refused([
      input(
        "idea",
        JSON.stringify({ ...idea, entry: { value: null, origin: "unknown", rule: null } }),
      ),
    ]);
    refused([input("result", JSON.stringify({ summary: " \n", text: null }))]);
  });

  it("publishes the stored post byte for byte, for that is what was approved", () => {
    const post = "exactly\n  this \u200b";
    expect(
      composePost(
        work([input("post", "older"), input("idea", JSON.stringify(idea)), input("post", post)]),
      ).text,
    ).toBe(post);
  });

  it("says every figure with where it comes from, and its sources", () => {
    expect(composePost(work([input("idea", JSON.stringify(idea))])).text).toBe([
      "ETHUSD on COINBASE, short: idea",
      "Entry: 1590.2 (alert)",
      "Stop loss: 1606.1 (derived: stop_loss_pct 1 of entry)",
      "Take profit 1: 1558.4 (alert)",
      "Size: unknown",
      "Reward to risk: 2",
      "Short below support.",
      "Sources:",
      "- research, sha256 feedface0001",
      "- similar: T-2025-09-20-0001, distance 0.2500",
      taskId,
    ].join("\n"));
  });

  it("says of an exit what it carries and nothing that it does not", () => {
    const exit = {
      kind: "update",
      symbol: "ETHUSD",
      side: "short",
      entry: { value: "1571", origin: "alert", rule: null },
      summary: "Take profit hit.",
    };
    expect(postOf({ type: "idea", content: JSON.stringify(exit) }, taskId).text)
      .toBe(
        `ETHUSD, short: update\nPrice: 1571 (alert)\nTake profit hit.\nSources: the alert alone\n${taskId}`,
      );
  });

  it("is the same text for the same artifact and fits into one message", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 6000 }), (text) => {
        fc.pre(text.trim() !== "" && /[a-z]/.test(text));
        const artifact = { type: "result", content: JSON.stringify({ summary: "s", text }) };
        const post = postOf(artifact, taskId);
        expect(post).toEqual(postOf(artifact, taskId));
        expect(post.text.length).toBeLessThanOrEqual(4096);
        expect(post.text.endsWith(`\n${taskId}`)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
