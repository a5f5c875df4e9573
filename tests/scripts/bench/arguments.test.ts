import { describe, expect, it } from "vitest";
import { figureNames, parseArguments } from "../../../scripts/bench/arguments.mjs";

describe("what was asked of the bench", () => {
  it.each([
    [["--only", "steps,nothing"], "nothing is no figure"],
    [["--only", ""], "nothing is no figure"],
    [["--rounds", "0"], "--rounds is a whole number"],
    [["--rounds", "1.5"], "--rounds is a whole number"],
    [["--depth", "many"], "--depth is a whole number"],
    [["--held-minutes", "-1"], "--held-minutes is a number"],
    [["--held-minutes"], "--held-minutes needs a value"],
    [["--quick=yes"], "--quick takes no value"],
    [["--fast"], "--fast is no option"],
  ])("refuses %j", (words, problem) => {
    expect(parseArguments(words)).toEqual({ problem: expect.stringContaining(problem) });
  });

  it("is everything at full size, unless it says otherwise", () => {
    expect(parseArguments([])).toMatchObject({
      only: figureNames.filter((name) => name !== "parts"),
      quick: false,
      rounds: 3,
      depth: 1_000_000,
      heldMinutes: 10,
    });
  });

  it("is smaller with --quick, and what is named beside it still holds", () => {
    expect(parseArguments(["--quick", "--depth=5000"])).toMatchObject({
      quick: true,
      depth: 5_000,
      heldMinutes: 0.5,
    });
  });

  it("keeps the figures in their one order", () => {
    expect(parseArguments(["--only", "held,steps"])).toMatchObject({ only: ["steps", "held"] });
  });
});
