import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  add,
  compare,
  decimal,
  divide,
  multiply,
  percentOf,
  positive,
  subtract,
} from "../../../functions/_domain/decimal.ts";

describe("decimal", () => {
  it("refuses what is not exactly one number within 38 digits, 18 of them behind the point", () => {
    for (
      const text of [
        "",
        ".",
        "-",
        "1,5",
        "1.2.3",
        " 1",
        "1 ",
        "0x1",
        "NaN",
        "Infinity",
        "1e",
        "1e999",
        "--1",
        "١",
        "9".repeat(39),
        `0.${"0".repeat(18)}1`,
      ]
    ) {
      expect(decimal(text)).toBeNull();
    }
    expect([positive("0"), positive("-1"), positive("-0.0")]).toEqual([null, null, null]);
  });

  it("has one spelling for each number", () => {
    expect(["007.50", "+7.5", "75e-1", "0.75E1", "7.5000"].map(decimal)).toEqual(
      Array(5).fill("7.5"),
    );
    expect(["-0", "0.00", "0e9"].map(decimal)).toEqual(["0", "0", "0"]);
    expect(["1e3", ".5", "5.", "-1e-18"].map(decimal)).toEqual([
      "1000",
      "0.5",
      "5",
      "-0.000000000000000001",
    ]);
  });

  it("adds, subtracts and multiplies exactly", () => {
    expect(add("0.1", "0.2")).toBe("0.3");
    expect(subtract("1", "1.01")).toBe("-0.01");
    expect(multiply("109500.25", "0.01")).toBe("1095.0025");
    expect(percentOf("0.00000093", "1.5")).toBe("0.00000001395");
    expect(multiply("0.000000001", "0.0000000005")).toBe("0.000000000000000001");
  });

  it("divides towards zero and by nothing never", () => {
    expect([
      divide("4.4999", "3", 4),
      divide("2", "3", 4),
      divide("1", "0", 4),
      divide("-2", "3", 2),
    ]).toEqual([
      "1.4999",
      "0.6666",
      null,
      "-0.66",
    ]);
  });

  it("agrees with integers", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
        fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
        (a, b) => {
          expect(add(`${a}`, `${b}`)).toBe(`${a + b}`);
          expect(subtract(`${a}`, `${b}`)).toBe(`${a - b}`);
          expect(multiply(`${a}`, `${b}`)).toBe(`${a * b}`);
          expect(compare(`${a}`, `${b}`)).toBe(a < b ? -1 : a > b ? 1 : 0);
        },
      ),
    );
  });
});
