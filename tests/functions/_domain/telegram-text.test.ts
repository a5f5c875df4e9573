import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { parseExact } from "../../../functions/_domain/telegram-json.ts";
import { clip, line, utc } from "../../../functions/_domain/telegram-text.ts";

describe("foreign text in our messages", () => {
  it("never breaks a line, hides, reorders or splits a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 80 }), (text, limit) => {
        const shown = line(text, limit);
        expect(shown.length).toBeLessThanOrEqual(limit);
        expect(shown).not.toMatch(
          // deno-lint-ignore no-control-regex
          /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/,
        );
        expect(shown).not.toMatch(/\p{Surrogate}/u);
      }),
      { numRuns: 2_000 },
    );
  });

  it("does not cut an emoji in half", () => {
    expect(clip("ab🌭cd", 4)).toBe("ab…");
    expect(clip("ab🌭c", 5)).toBe("ab🌭c");
  });

  it("shows every time in UTC with its zone, and no time as unknown", () => {
    expect(utc("2025-09-28T16:15:00+02:00")).toBe("2025-09-28 14:15:00 UTC");
    expect(utc(new Date("2025-09-28T14:15:00.999Z"))).toBe("2025-09-28 14:15:00 UTC");
    expect([utc(null), utc(undefined), utc("soon")]).toEqual(["unknown", "unknown", "unknown"]);
  });
});

describe("exact JSON", () => {
  it("quotes long integers outside strings and changes nothing else", () => {
    expect(
      parseExact(
        '{"a":12345678901234567,"b":"12345678901234567","c":[-98765432109876543210],"d":1.5,"e":1e3}',
      ),
    )
      .toEqual({
        a: "12345678901234567",
        b: "12345678901234567",
        c: ["-98765432109876543210"],
        d: 1.5,
        e: 1000,
      });
    expect(parseExact('{"a":"\\"12345678901234567","b":9999}')).toEqual({
      a: '"12345678901234567',
      b: 9999,
    });
  });

  it("reads what JSON.parse reads, and refuses what it refuses", () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
      const text = JSON.stringify(value);
      fc.pre(!/\d{16}/.test(text));
      expect(parseExact(text)).toEqual(JSON.parse(text));
    }));
    for (
      const text of [
        "{12345678901234567:1}",
        "[0012345678901234567]",
        '{"a":12345678901234567',
        "12345678901234567x",
      ]
    ) {
      expect(() => parseExact(text), text).toThrow(SyntaxError);
    }
  });
});
