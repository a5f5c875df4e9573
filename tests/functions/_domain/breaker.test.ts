import { describe, expect, it } from "vitest";
import {
  behindBreaker,
  type Breakers,
  type CallOutcome,
  outcomeOfDelivery,
  outcomeOfError,
  outcomeOfOrder,
  withLeave,
} from "../../../functions/_domain/breaker.ts";
import { Refusal } from "../../../functions/_domain/refusal.ts";

function remembering(open = false) {
  const told: unknown[] = [];
  const breakers: Breakers = {
    admit: (tool) =>
      open
        ? Promise.reject(new Refusal("breaker_open", "It rests.", { tool, retry_after: 60 }))
        : Promise.resolve({ tool, probe: "p" }),
    report: (_, outcome, error) => Promise.resolve(void told.push([outcome, error])),
  };
  return { told, breakers };
}

describe("a call behind its breaker", () => {
  it("is not made while the breaker is open", async () => {
    const { told, breakers } = remembering(true);
    const calls: string[] = [];
    const call = () => Promise.resolve(calls.push("made"));
    await expect(behindBreaker(breakers, "quotes.read", call)).rejects.toMatchObject({
      code: "breaker_open",
      about: { tool: "quotes.read", retry_after: 60 },
    });
    expect([calls, told]).toEqual([[], []]);
  });

  it("names its tool in what it refuses, and keeps the seconds to wait", async () => {
    const { told, breakers } = remembering();
    const busy = () => Promise.reject(new Refusal("rate_limited", "later", { retry_after: 7 }));
    await expect(behindBreaker(breakers, "quotes.read", busy)).rejects.toMatchObject({
      about: { tool: "quotes.read", retry_after: 7 },
    });
    expect(told).toEqual([["released", "rate_limited: later"]]);
  });

  it("passes on the very error, so that what else it says is not lost", async () => {
    class Away extends Refusal {}
    const { breakers } = remembering();
    const away = new Away("unavailable");
    await expect(behindBreaker(breakers, "chunks.search", () => Promise.reject(away))).rejects
      .toBe(away);
    expect(away.about.tool).toBe("chunks.search");
  });

  it.each<[string, unknown, CallOutcome]>([
    ["no answer, 5xx or nonsense", new Refusal("unavailable"), "failure"],
    ["an answer that there is no such thing", new Refusal("insufficient_data"), "success"],
    ["a request to wait", new Refusal("rate_limited"), "released"],
    ["an address that is not called", new Refusal("url_denied"), "released"],
    ["a tool that is not allowed", new Refusal("tool_denied"), "released"],
    ["a fault of ours", new TypeError("x is not a function"), "released"],
  ])("counts %s by what it says about the tool", (_, error, outcome) => {
    expect(outcomeOfError(error)).toBe(outcome);
  });

  it("tells Telegram's silence from Telegram's no", () => {
    expect(outcomeOfDelivery({ outcome: "sent", message_id: "1" })).toBe("success");
    expect(outcomeOfDelivery({ outcome: "blocked", error: "403" })).toBe("success");
    expect(outcomeOfDelivery({ outcome: "failed", error: "400" })).toBe("success");
    expect(outcomeOfDelivery({ outcome: "unknown", error: "502" })).toBe("failure");
    const retry = { outcome: "retry", retry_after: 5, error: "" } as const;
    expect(outcomeOfDelivery(retry)).toBe("released");
    expect(outcomeOfDelivery({ ...retry, unreached: true })).toBe("failure");
  });

  it("tells a broker's silence from a broker's no", () => {
    const error = "x";
    expect(outcomeOfOrder({ outcome: "failed", receipt: { status: "rejected", error } }))
      .toBe("success");
    expect(outcomeOfOrder({ outcome: "unknown", receipt: { error } })).toBe("failure");
    const receipt = { error };
    expect(outcomeOfOrder({ outcome: "not_sent", receipt })).toBe("released");
    expect(outcomeOfOrder({ outcome: "not_sent", receipt, unreached: true })).toBe("failure");
  });

  it("gives the leave back where the longer work did not come to the call, or broke off", async () => {
    const { told, breakers } = remembering();
    await withLeave(breakers, "telegram.post", () => Promise.resolve(false));
    const broke = withLeave(
      breakers,
      "telegram.post",
      () => Promise.reject(new Error("broke off")),
    );
    await expect(broke).rejects.toThrow("broke off");
    await withLeave(breakers, "telegram.post", async (leave) => {
      await breakers.report(leave, "success");
      return true;
    });
    expect(told).toEqual([["released", undefined], ["released", undefined], [
      "success",
      undefined,
    ]]);
  });
});
