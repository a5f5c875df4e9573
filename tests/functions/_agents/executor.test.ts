import { describe, expect, it } from "vitest";
import { composeProposal, composeResult, executor } from "../../../functions/_agents/executor.ts";
import { proposalSchema, resultSchema } from "../../../functions/_domain/result.ts";
import type { Json } from "../../../functions/_domain/json.ts";
import type { Tier } from "../../../functions/_domain/task.ts";
import { act, cited, contextFor, policy, stepOf, subjectOf, tier } from "./critic-scene.ts";

const work = (name: Tier, action: string, payload: Json, goal = "Tell the desk") => {
  const subject = subjectOf(act("plan", {}), { ...tier(name, action), goal, payload });
  return { ...stepOf(subject), node_id: "act" };
};

describe("executor", () => {
  it("describes an irreversible action with the figures it was given and does nothing", async () => {
    const { context, called } = contextFor("exec");
    const result = await executor(
      work("T3", "PAYMENT", { amount: "120.50", currency: "USDT", memo: null }),
      context,
    );
    expect(called).toEqual(["artifacts.read"]);
    expect(result.artifact?.type).toBe("proposal");
    expect(proposalSchema.parse(JSON.parse(result.artifact!.content))).toEqual({
      action: "PAYMENT",
      summary: "Tell the desk",
      text: "Tell the desk\namount: 120.50\ncurrency: USDT",
      figures: { amount: "120.50", currency: "USDT" },
      evidence: cited,
    });
  });

  it("adds no figure that the request lacks", () => {
    expect(composeProposal(work("T3", "TRADE", {})).figures).toEqual({});
  });

  it("proposes whatever the policy puts into T3, and gives a result for the rest", async () => {
    for (const name of ["T0", "T1", "T2", "T3"] as const) {
      for (const action of policy.risk_tiers[name]) {
        const { artifact } = await executor(
          work(name, action, { text: "words" }),
          contextFor("exec").context,
        );
        expect([action, artifact?.type]).toEqual([action, name === "T3" ? "proposal" : "result"]);
      }
    }
    const { artifact } = await executor(
      work("T3", "POLICY_CHANGE", { text: "x" }),
      contextFor("exec").context,
    );
    expect(artifact?.type).toBe("proposal");
  });

  it("hands on the request's own words unchanged, with its sources", () => {
    const result = composeResult(
      work("T2", "PUBLISH", { text: "Closed trades:\n  3 wins ", summary: "The week" }),
    );
    expect(resultSchema.parse(result)).toEqual({
      summary: "The week",
      text: "Closed trades:\n  3 wins",
      evidence: cited,
    });
  });

  it("makes do with goal, fields and archive where no words are given", () => {
    const { text } = composeResult(
      work("T0", "READ", { symbol: "XAUUSD" }, "What do we know about gold?"),
    );
    expect(text).toBe("What do we know about gold?\nsymbol: XAUUSD\nLong XAUUSD, London breakout.");
  });

  it("shortens a summary at a whole character", () => {
    const { summary } = composeResult(work("T0", "READ", { text: "x" }, "🚀".repeat(400)));
    expect([...summary]).toHaveLength(280);
    expect(summary.endsWith("🚀…")).toBe(true);
  });
});
