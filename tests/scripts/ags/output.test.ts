import { describe, expect, it } from "vitest";
import { cell, records, tableText } from "../../../scripts/ags/output.ts";

describe("the tables of the CLI", () => {
  it("shows NULL as NULL and an empty text as nothing", () => {
    expect(tableText({ columns: ["a", "b"], rows: [[null, ""]] })).toBe(
      "a     b\n----  -\nNULL\n(1 row)",
    );
  });

  it("puts numbers to the right, also where one is missing", () => {
    expect(tableText({ columns: ["n"], rows: [[5], [null], [1234]] })).toBe(
      "n\n----\n   5\nNULL\n1234\n(3 rows)".replace("n\n", "   n\n"),
    );
  });

  it("cuts wide text and says so", () => {
    expect(cell("x".repeat(200))).toBe("x".repeat(59) + "…");
  });

  it("keeps a stored text from writing elsewhere on the terminal", () => {
    expect(cell("a\u001b[2Jb\nc\u202ed")).toBe("a�[2Jb c�d");
  });

  it("gives programs times in UTC, and large numbers as text rather than rounded", () => {
    const rows = [[new Date(0), 12n, 2n ** 60n, { a: 1 }, null]];
    expect(records({ columns: ["t", "n", "big", "j", "none"], rows })).toEqual([
      { t: "1970-01-01T00:00:00.000Z", n: 12, big: "1152921504606846976", j: { a: 1 }, none: null },
    ]);
  });
});
