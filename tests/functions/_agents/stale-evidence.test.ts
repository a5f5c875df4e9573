import { describe, expect, it } from "vitest";
import { judgeEvidence } from "../../../functions/_agents/critic-evidence.ts";
import { cite, isStale } from "../../../functions/_agents/source-material.ts";
import type { Input } from "../../../functions/_domain/task.ts";

const source = (content: unknown): Input => ({
  node_id: "retrieve",
  agent: "retriever:v1",
  artifact_id: "a-1",
  type: "retrieval",
  storage_ref: "supa://artifacts/a-1/retrieval.json",
  checksum: "c".repeat(64),
  content: JSON.stringify(content),
});
const stale = source({ chunks: [], stale: true, as_of: "2027-05-01T10:00:00.000Z" });
const fresh = source({ chunks: [] });

const judged = (input: Input, evidence: ReturnType<typeof cite>) =>
  judgeEvidence(
    { type: "result", result: { summary: "s", text: "t", evidence } } as never,
    { inputs: [input] } as never,
  );

describe("evidence that was found before and not for this task", () => {
  it("is cited as stale, and no other is", () => {
    expect([isStale(stale), isStale(fresh)]).toEqual([true, false]);
    expect(cite([stale])).toMatchObject([{ artifact_id: "a-1", stale: true }]);
    expect(cite([fresh])[0]).not.toHaveProperty("stale");
    expect(isStale({ ...fresh, content: "no json" })).toBe(false);
  });

  it("costs nothing where it is said, and marks where it is hushed up or made up", () => {
    expect(judged(stale, cite([stale]))).toEqual({ mark: 2, lost: [] });
    expect(judged(fresh, cite([fresh]))).toEqual({ mark: 2, lost: [] });
    for (const [input, other] of [[stale, fresh], [fresh, stale]]) {
      expect(judged(input, cite([other]))).toMatchObject({
        mark: 1,
        lost: ["retrieve is cited as fresh or stale, and is the other"],
      });
    }
  });
});
