import { describe, expect, it } from "vitest";
import {
  linesOf,
  ratioNames,
  summaryOf,
  verdictsOf,
} from "../../../scripts/bench/report/summary.mjs";

const run = (figures: Record<string, unknown>) =>
  summaryOf({
    figures,
    versions: { node: "v20" },
    server: { version: "17" },
    durability: { fsync: "on" },
    options: {},
    seconds: 1,
  });

const verdictOf = (figures: Record<string, unknown>, label: string) =>
  verdictsOf(run(figures)).find((row: { label: string }) => row.label.startsWith(label));

describe("what the bench hands out", () => {
  it("has exactly the eight ratios, null where a side is missing", () => {
    const { ratios } = run({
      steps: { ratios: { steps_vs_pgboss: null, steps_vs_ceiling: 0.6 } },
      held: { skipped: "the run was interrupted" },
    });
    expect(Object.keys(ratios)).toEqual([
      "steps_vs_pgboss",
      "steps_vs_graphile",
      "steps_vs_dbos",
      "steps_vs_ceiling",
      "intake_vs_pgboss",
      "e2e_vs_dbos",
      "claim_depth",
      "held_snapshot_rate",
    ]);
    expect(ratios).toEqual({
      ...Object.fromEntries(ratioNames.map((name: string) => [name, null])),
      steps_vs_ceiling: 0.6,
    });
  });

  it("is one line of JSON, beside the raw figures and versions", () => {
    const text = JSON.stringify(run({ steps: { results: {} } }));
    expect(text).not.toContain("\n");
    expect(Object.keys(JSON.parse(text))).toEqual([
      "ratios",
      "figures",
      "versions",
      "server",
      "durability",
      "options",
      "seconds",
    ]);
  });
});

describe("a figure short of its aim", () => {
  it("is called short, from above and from below", () => {
    const steps = { ratios: { steps_vs_pgboss: 0.99 } };
    expect(verdictOf({ steps }, "steps/s against pg-boss")).toMatchObject({ verdict: "short" });
    const depth = { ratios: { claim_depth: 1.51 } };
    expect(verdictOf({ depth }, "claim p99")).toMatchObject({ verdict: "short" });
  });

  it("holds at the aim itself", () => {
    const depth = { ratios: { claim_depth: 1.5 } };
    expect(verdictOf({ depth }, "claim p99")).toMatchObject({ verdict: "holds" });
  });

  it("is not measured where there is no value, and never holds by being absent", () => {
    expect(verdictsOf(run({})).map((row: { verdict: string }) => row.verdict)).toEqual(
      verdictsOf(run({})).map(() => "not measured"),
    );
  });

  it("is printed as short, and a skipped rival with its reason", () => {
    const lines = linesOf(run({
      steps: {
        batch: 50,
        workers: 4,
        results: { ags: { per_s: 10 }, dbos: { skipped: "the registry did not answer" } },
        ratios: { steps_vs_ceiling: 0.1 },
      },
    })).join("\n");
    expect(lines).toMatch(/dbos +skipped: the registry did not answer/);
    expect(lines).toMatch(/against the bare ceiling +0\.1 .* short/);
  });
});
