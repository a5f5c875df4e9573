import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack } from "../../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
}, 120_000);
afterAll(() => stack?.remove());

describe("ags breakers", () => {
  it("refuses a trip without a reason, and a tool that nobody knows", async () => {
    expect((await stack.ags("breakers", "trip", "quotes.read")).err).toContain("<reason>");
    expect((await stack.ags("breakers", "trip", "news.read", "down")).err).toContain("not_found");
    expect((await stack.ags("breakers", "mend", "quotes.read")).err).toContain("trip or reset");
  }, 60_000);

  it("lists, trips and resets in the name of whoever has the terminal", async () => {
    expect(await stack.ags("breakers", "trip", "ton.read", "it", "lies")).toMatchObject({
      code: 0,
      out: expect.stringContaining("left alone from now on"),
    });
    const listed = await stack.ags("breakers", "list", "--json");
    const [first] = JSON.parse(listed.out);
    expect(first).toMatchObject({ tool: "ton.read", state: "open", reason: "it lies", waiting: 0 });
    expect(first.changed_by).toMatch(/^cli:/);
    expect((await stack.ags("breakers", "reset", "ton.read", "mended")).out).toContain(
      "was open and is called again",
    );
  }, 90_000);
});

describe("ags dead-letters", () => {
  it("lists none where none is, and refuses what is no letter", async () => {
    expect(JSON.parse((await stack.ags("dead-letters", "list", "--json")).out)).toEqual([]);
    expect((await stack.ags("dead-letters", "requeue", "7", "again")).err).toContain("whole id");
    const id = "00000000-0000-4000-8000-000000000000";
    expect((await stack.ags("dead-letters", "dismiss", id, "seen")).err).toContain("not_found");
  }, 60_000);
});
