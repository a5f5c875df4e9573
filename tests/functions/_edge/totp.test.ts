import { describe, expect, it } from "vitest";
import { codeOf, enrolmentUri, newSeed, stepAt, stepOf } from "../../../functions/_edge/totp.ts";

// RFC 6238, appendix B: the seed of its SHA-1 column; six digits are the last six of its eight.
const seed = new TextEncoder().encode("12345678901234567890");
const vectors: [number, string][] = [
  [59, "287082"],
  [1111111109, "081804"],
  [1111111111, "050471"],
  [1234567890, "005924"],
  [2000000000, "279037"],
];
const at = (seconds: number) => new Date(seconds * 1000);

describe("a code", () => {
  it("is none of another length, with other digits, or of another seed", async () => {
    const other = new TextEncoder().encode("09876543210987654321");
    for (const odd of ["", "28708", "2870822", "94287082", "28708a", "２８７０８２", " 287082"]) {
      expect(await stepOf(seed, odd, at(59)), odd).toBeNull();
    }
    expect(await stepOf(other, "287082", at(59))).toBeNull();
  });

  it("is too old two steps later and too new two steps before", async () => {
    const step = stepAt(at(1111111111));
    const code = codeOf(seed, step);
    expect(await stepOf(seed, code, at((step + 2) * 30))).toBeNull();
    expect(await stepOf(seed, code, at((step - 1) * 30 - 1))).toBeNull();
  });

  it("belongs to its own half minute in the one before, its own and the one after", async () => {
    const step = stepAt(at(1111111111));
    const code = codeOf(seed, step);
    for (const seconds of [(step - 1) * 30, step * 30, step * 30 + 29, (step + 1) * 30 + 29]) {
      expect(await stepOf(seed, code, at(seconds)), String(seconds)).toBe(step);
    }
  });

  it.each(vectors)("is the RFC's at %d seconds: %s", async (seconds, code) => {
    expect(await stepOf(seed, code, at(seconds))).toBe(Math.floor(seconds / 30));
  });
});

describe("an enrolment", () => {
  it("has a new seed of 160 bits each time", () => {
    expect(newSeed()).toHaveLength(20);
    expect(newSeed()).not.toEqual(newSeed());
  });

  it("is written as every authenticator reads it", () => {
    expect(enrolmentUri(seed, "olga")).toBe(
      "otpauth://totp/Dynamic%20AGS:olga?issuer=Dynamic%20AGS&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA1&digits=6&period=30",
    );
  });
});
