import { describe, expect, it } from "vitest";
import { dimensions, embed, embedText } from "../../../functions/_channels/embedder.ts";

const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const distance = (a: string, b: string) => 1 - dot(embedText(a), embedText(b));

const idea = "BTCUSDT long breakout of the 4h range, strategy Donchian";

describe("local embedder", () => {
  it.each([idea, "x", "", "   ", "🚀", "золото лонг", "word ".repeat(5000)])(
    "gives 384 finite numbers of unit length for %j",
    (text) => {
      const vector = embedText(text);
      expect(vector).toHaveLength(dimensions);
      expect(vector.every(Number.isFinite)).toBe(true);
      expect(dot(vector, vector)).toBeCloseTo(1, 5);
    },
  );

  it("gives the same vector every time, and only what a 32-bit float can hold", async () => {
    expect(await embed(idea)).toEqual(embedText(idea));
    expect(embedText(idea)).toEqual(Array.from(Float32Array.from(embedText(idea))));
  });

  it("gives the vector that is on record, on whichever runtime this runs", () => {
    const golden = embedText("XAUUSD long 15m");
    const digest = golden.reduce((sum, x, i) => sum + x * (i + 1), 0);
    expect(golden.filter((x) => x !== 0).length).toBe(14);
    expect(digest).toBe(-35.154767602682114);
  });

  it("puts the same idea at another price nearer than another symbol", () => {
    const again = distance(
      "XAUUSD long breakout 15m at 2345.60",
      "XAUUSD long breakout 15m at 2351.20",
    );
    const other = distance(
      "XAUUSD long breakout 15m at 2345.60",
      "ETHUSDT short mean reversion 4h",
    );
    expect(again).toBeLessThan(0.4);
    expect(other).toBeGreaterThan(0.7);
  });

  it("keeps near spellings of a symbol closer than unrelated symbols", () => {
    expect(distance("BTCUSDT", "BTCUSDT.P")).toBeLessThan(distance("BTCUSDT", "EURJPY"));
  });

  it("does not depend on case, width or order of the words", () => {
    expect(distance("Long XAUUSD", "ｘａｕｕｓｄ LONG")).toBeCloseTo(0, 6);
  });
});
