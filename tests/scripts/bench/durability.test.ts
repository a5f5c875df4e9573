import { describe, expect, it } from "vitest";
import { durabilityProblem } from "../../../scripts/bench/server/durability.mjs";

const durable = { fsync: "on", synchronous_commit: "on", full_page_writes: "on" };

describe("no figure without durability", () => {
  it.each([
    ["fsync", "off"],
    ["synchronous_commit", "off"],
    ["synchronous_commit", "local"],
    ["full_page_writes", "off"],
  ])("refuses a server with %s %s", (name, value) => {
    expect(durabilityProblem({ ...durable, [name]: value })).toBe(
      `no figure without durability: ${name} is ${value}`,
    );
  });

  it("refuses a server that does not say", () => {
    expect(durabilityProblem({ synchronous_commit: "on", full_page_writes: "on" })).toContain(
      "fsync is unknown",
    );
  });

  it("takes a durable one", () => {
    expect(durabilityProblem(durable)).toBeNull();
    expect(durabilityProblem({ ...durable, synchronous_commit: "remote_apply" })).toBeNull();
  });
});
