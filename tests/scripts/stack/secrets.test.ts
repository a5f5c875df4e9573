import { describe, expect, it } from "vitest";
import { readSecrets, withSecrets } from "../../../scripts/stack/secrets.ts";

const kept = { path: "secrets.env", values: { SERVICE_TOKEN: "kept" }, made: [] };

describe("secrets.env", () => {
  it("refuses a line that is no NAME=value, without repeating what it holds", () => {
    expect(() => readSecrets("SERVICE_TOKEN=abc\nexport something-secret")).toThrow(/NAME=value/);
    expect(() => readSecrets("export something-secret")).not.toThrow(/something-secret/);
  });

  it("reads values with = and quotes, and skips comments", () => {
    expect(readSecrets('# mine\nINTAKE_TOKENS=desk=abc\n\nSERVICE_TOKEN="a b"\n')).toEqual({
      INTAKE_TOKENS: "desk=abc",
      SERVICE_TOKEN: "a b",
    });
  });

  it("gives way to the environment, where that is not empty", () => {
    expect(withSecrets(() => "set", kept)("SERVICE_TOKEN")).toBe("set");
    expect(withSecrets(() => " ", kept)("SERVICE_TOKEN")).toBe("kept");
    expect(withSecrets(() => undefined, kept)("PORT")).toBeUndefined();
  });
});
