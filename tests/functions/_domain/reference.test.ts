import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buckets, formatReference, parseReference } from "../../../functions/_domain/reference.ts";

describe("parseReference", () => {
  it.each([
    "supa://tasks/../artifacts/A1",
    "supa://tasks/T-1/..",
    "supa://tasks/./x",
    "supa://tasks//etc/passwd",
    "supa://tasks/a//b",
    "supa://tasks/a/",
    "supa://tasks/",
    "supa://tasks",
    "supa:///x",
    "supa://secrets/x",
    "supa://Tasks/x",
    "SUPA://tasks/x",
    "s3://tasks/x",
    "https://tasks/x",
    "file:///tasks/x",
    "/tasks/x",
    "tasks/x",
    "supa://tasks/a\\b",
    "supa://tasks/%2e%2e/x",
    "supa://tasks/a b",
    "supa://tasks/a\u0000b",
    "supa://tasks/a\nb",
    "supa://tasks/x\n",
    "supa://tasks/x?y",
    "supa://tasks/x#y",
    "supa://tasks/\uff0e\uff0e/x",
    ` supa://tasks/x`,
    `supa://tasks/${"x/".repeat(600)}x`,
    "",
  ])("refuses %j", (text) => {
    expect(parseReference(text)).toBeNull();
  });

  it("reads the playbook's two addresses", () => {
    expect(parseReference("supa://tasks/T-2025-09-28-0012/inputs.json"))
      .toEqual({ bucket: "tasks", path: "T-2025-09-28-0012/inputs.json" });
    expect(parseReference("supa://artifacts/A123/output.md"))
      .toEqual({ bucket: "artifacts", path: "A123/output.md" });
  });

  it("gives back what was written, for every path that can be written", () => {
    const part = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,30}$/);
    fc.assert(fc.property(
      fc.constantFrom(...buckets),
      fc.array(part, { minLength: 1, maxLength: 6 }),
      (bucket, parts) => {
        const reference = { bucket, path: parts.join("/") };
        expect(parseReference(formatReference(reference))).toEqual(reference);
      },
    ));
  });

  it("writes no address that it would not read, and reads none that it would write otherwise", () => {
    expect(() => formatReference({ bucket: "tasks", path: "../x" })).toThrow(RangeError);
    fc.assert(fc.property(fc.string(), (tail) => {
      const read = parseReference(`supa://tasks/${tail}`);
      if (read !== null) expect(formatReference(read)).toBe(`supa://tasks/${tail}`);
    }));
  });
});
