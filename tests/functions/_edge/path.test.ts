import { describe, expect, it } from "vitest";
import { pathBelow } from "../../../functions/_edge/path.ts";

const below = (path: string) => pathBelow(new Request(`http://x${path}`), "intake");

describe("pathBelow", () => {
  it("refuses another function's path, a longer name and what cannot be decoded", () => {
    expect(below("/critic")).toBeNull();
    expect(below("/intakes/tasks")).toBeNull();
    expect(below("/functions/v2/intake")).toBeNull();
    expect(below("/intake/%E0%A4%A")).toBeNull();
  });

  it("reads the local path and the platform's path alike", () => {
    expect(below("/functions/v1/intake/tradingview/abc")).toEqual(["tradingview", "abc"]);
    expect(below("/intake/tradingview/abc?x=1")).toEqual(["tradingview", "abc"]);
    expect(below("/intake/")).toEqual([]);
  });

  it("splits before it decodes, so an encoded slash stays within its segment", () => {
    expect(below("/intake/tradingview/a%2Fb")).toEqual(["tradingview", "a/b"]);
  });
});
