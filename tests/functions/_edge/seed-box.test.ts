import { describe, expect, it } from "vitest";
import { fromBase64, toBase64 } from "../../../functions/_edge/base64.ts";
import { createSeedBox } from "../../../functions/_edge/seed-box.ts";

const keyOf = (byte: number) => toBase64(new Uint8Array(32).fill(byte));
const box = createSeedBox(keyOf(7));
const seed = Uint8Array.from({ length: 20 }, (_, i) => i);
const member = "6f1c9a52-0d5e-4f0c-9d33-2b8f6f3f1a01";

describe("a sealed seed", () => {
  it("does not open under another key, or for another member", async () => {
    const sealed = await box.seal(member, seed);
    expect(await createSeedBox(keyOf(8)).open(member, sealed)).toBeNull();
    expect(await box.open(member.replace("6", "7"), sealed)).toBeNull();
  });

  it("does not open once any byte of it was changed, or is missing", async () => {
    const sealed = fromBase64(await box.seal(member, seed));
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice();
      changed[at] ^= 1;
      expect(await box.open(member, toBase64(changed)), String(at)).toBeNull();
    }
    for (const odd of ["", "?", toBase64(sealed.slice(0, 12)), toBase64(sealed.slice(0, 40))]) {
      expect(await box.open(member, odd), odd).toBeNull();
    }
  });

  it("says nothing of the seed, differs each time, and has the length that the database takes", async () => {
    const [one, two] = [await box.seal(member, seed), await box.seal(member, seed)];
    expect(one).not.toBe(two);
    expect(one).toMatch(/^[A-Za-z0-9+/]{64}$/);
    expect(Buffer.from(one, "base64").includes(Buffer.from(seed))).toBe(false);
  });

  it("opens for its member under its key", async () => {
    expect(await box.open(member, await box.seal(member, seed))).toEqual(seed);
  });
});
