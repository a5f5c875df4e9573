import { expect, it } from "vitest";
import { rateOf } from "../../../scripts/bench/ceiling/ceiling.mjs";

it("a rate is transactions a second times the batch", () => {
  const said = "latency average = 1.1 ms\ntps = 240.5 (without initial connection time)\n";
  expect(rateOf(said, 50)).toBe(12_025);
});

it("refuses to read a rate out of an output without one", () => {
  expect(() => rateOf("pgbench: error: connection failed", 50)).toThrow("said no rate");
});
