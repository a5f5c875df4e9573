import { describe, expect, it } from "vitest";
import { dryRun } from "../../../functions/_agents/dry-run.ts";
import { dryRunSchema } from "../../../functions/_domain/dry-run.ts";
import { act, contextFor, stepOf } from "./critic-scene.ts";
import { market, tradeSubject } from "./trade-scene.ts";

const workOf = (subject = tradeSubject()) => ({ ...stepOf(subject), node_id: "dry_run" });

describe("the dry run of a trade", () => {
  it("needs a proposal with an order", async () => {
    const { context } = contextFor("trader", market);
    const work = workOf();
    for (
      const inputs of [
        [],
        [act("proposal", "{")],
        [act("proposal", { action: "TRADE", summary: "x", text: "x", figures: {}, evidence: [] })],
      ]
    ) {
      await expect(dryRun({ ...work, inputs }, context)).rejects.toMatchObject({
        code: "insufficient_data",
      });
    }
  });

  it("needs a source of prices and of accounts, and the leave to ask them", async () => {
    await expect(dryRun(workOf(), contextFor("trader").context)).rejects.toMatchObject({
      code: "unavailable",
    });
    await expect(dryRun(workOf(), contextFor("researcher", market).context)).rejects.toThrow(
      /quotes\.read/,
    );
  });

  it("is bound to the bytes it rehearsed, and names its price, its source and its time", async () => {
    const subject = tradeSubject();
    const { artifact, output } = await dryRun(
      workOf(subject),
      contextFor("trader", market).context,
    );
    expect(artifact?.type).toBe("dry_run");
    expect(dryRunSchema.parse(JSON.parse(artifact!.content))).toMatchObject({
      subject_sha256: subject.artifact.checksum,
      price: "100",
      quote: { source: "binance", observed_at: "2026-03-02T08:15:04.000Z" },
      verdict: "pass",
    });
    expect(output).toMatchObject({ verdict: "pass", source: "binance" });
  });
});
