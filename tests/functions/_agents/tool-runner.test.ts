import { describe, expect, it } from "vitest";
import type { AgentContext } from "../../../functions/_agents/agent.ts";
import { behindTools, toolRunner } from "../../../functions/_agents/tool-runner.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";
import { policy } from "../../support/line.ts";

const reached: string[] = [];
const reach = <T>(name: string, value: T) => () => {
  reached.push(name);
  return Promise.resolve(value);
};

const contextOf = (allowed: string[]): AgentContext =>
  behindTools({
    policy,
    now: new Date(0),
    tool: toolRunner({
      agent: "agent:v1",
      allowed,
      metered: {},
      take: () => Promise.resolve(null),
    }),
    search: reach("search", []),
    embed: reach("embed", [0]),
    judge: { name: "llm:model", score: reach("judge", null) },
  });

const code = (call: Promise<unknown>) =>
  call.then(() => "ran", (error) => error instanceof Refusal ? error.code : String(error));
const input = { goal: "", content: "", evidence: [] };

describe("a capability of an agent", () => {
  it("is refused past its tool, even where the tool is listed", async () => {
    const context = contextOf(["chunks.search", "embed", "llm.judge"]);
    expect(await code(context.search("BTCUSDT", [], 5))).toBe("tool_denied");
    expect(await code(context.embed("text"))).toBe("tool_denied");
    expect(await code(context.judge!.score(input))).toBe("tool_denied");
    expect(reached).toEqual([]);
  });

  it("is refused within another tool, and after its own has ended", async () => {
    const context = contextOf(["artifacts.read", "embed"]);
    expect(await code(context.tool("artifacts.read", () => context.embed("text")))).toBe(
      "tool_denied",
    );
    let kept = () => Promise.resolve([0]);
    await context.tool("embed", () => Promise.resolve(kept = () => context.embed("text")));
    expect(await code(kept())).toBe("tool_denied");
    expect(reached).toEqual([]);
  });

  it("is refused after its tool has failed", async () => {
    const context = contextOf(["embed"]);
    await expect(context.tool("embed", () => Promise.reject(new Error("broken")))).rejects.toThrow(
      "broken",
    );
    expect(await code(context.embed("text"))).toBe("tool_denied");
  });

  it("works within its tool", async () => {
    const context = contextOf(["embed", "chunks.search", "llm.judge"]);
    expect(await code(context.tool("embed", () => context.embed("text")))).toBe("ran");
    expect(await code(context.tool("chunks.search", () => context.search("A", [], 1)))).toBe("ran");
    expect(await code(context.tool("llm.judge", () => context.judge!.score(input)))).toBe("ran");
    expect(reached).toEqual(["embed", "search", "judge"]);
  });
});
