import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack } from "../../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
}, 120_000);
afterAll(() => stack?.remove());

const states = async () =>
  Object.fromEntries(
    (await stack.sql<{ scope: string; state: string }>("select scope, state from emergency_stops"))
      .map(({ scope, state }) => [scope, state]),
  );

describe("ags stop", () => {
  it("refuses a stop without a reason, and stops nothing", async () => {
    for (const words of [[], ["t3"]]) {
      const ran = await stack.ags("stop", ...words);
      expect(ran.err).toContain("Say why");
      expect(ran.code).toBe(1);
    }
    expect(await states()).toEqual({ all: "running", t3: "running" });
  }, 60_000);

  it("stops T3 alone, and everything for a reason that only begins alike", async () => {
    expect(await stack.ags("stop", "t3", "the", "broker", "is", "silent")).toMatchObject({
      code: 0,
      out: expect.stringContaining("effects of tier T3"),
    });
    expect(await states()).toEqual({ all: "running", t3: "stopped" });
    expect(await stack.ags("stop", "t3x looks wrong")).toMatchObject({ code: 0 });
    expect(await states()).toEqual({ all: "stopped", t3: "stopped" });
  }, 60_000);

  it("says when it was stopped already, and names who had the terminal", async () => {
    expect((await stack.ags("stop", "again")).out).toContain("Already stopped");
    const rows = await stack.sql<{ changed_by: string; reason: string }>(
      "select changed_by, reason from emergency_stops where scope = 'all'",
    );
    expect(rows[0].changed_by).toMatch(/^cli:/);
    expect(rows[0].reason).toBe("t3x looks wrong");
  }, 60_000);
});

describe("ags rotations", () => {
  it(
    "refuses a name that is no secret of the environment, and a word it does not know",
    async () => {
      expect((await stack.ags("rotations", "record", "MY_PASSWORD")).err).toContain("not_found");
      expect((await stack.ags("rotations", "record")).err).toContain("rotations record <name>");
      expect((await stack.ags("rotations", "forget", "LLM_API_KEY")).err).toContain(
        "list or record",
      );
    },
    60_000,
  );

  it("lists what is due when, and records a change or that a name is not used", async () => {
    expect((await stack.ags("rotations", "record", "LLM_API_KEY")).out).toContain("due again on");
    expect((await stack.ags("rotations", "record", "TON_API_KEY", "--unused")).out).toContain(
      "is not used",
    );
    const rows: Record<string, unknown>[] = JSON.parse(
      (await stack.ags("rotations", "list", "--json")).out,
    );
    const row = (name: string) => rows.find((found) => found.name === name);
    expect(row("LLM_API_KEY")).toMatchObject({ in_use: true, overdue: false, shared: false });
    expect(row("LLM_API_KEY")?.recorded_by).toMatch(/^cli:/);
    expect(row("TON_API_KEY")).toMatchObject({ in_use: false, rotated_at: null });
    expect(row("SERVICE_TOKEN")).toMatchObject({ shared: true });
  }, 60_000);
});
