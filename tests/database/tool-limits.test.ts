import { afterAll, beforeAll, expect, it } from "vitest";
import type { TestDatabase } from "../support/database.ts";
import { freezeClock } from "../support/clock.ts";
import { activate, policy } from "../support/line.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../support/native.ts";

onNativePostgres("a tool's limit under many sessions at once", () => {
  let native: NativeDatabase;
  beforeAll(async () => {
    native = await openNativeDatabase();
    const db = native as unknown as TestDatabase;
    await activate(db);
    // A bucket refills by the clock; with the clock at rest the count is exact and not merely close.
    await freezeClock(db, "2026-03-01T12:00:00Z");
  });
  afterAll(() => native?.close());

  it("admits exactly its number of 1,000 calls that arrive together, from two processes", async () => {
    const pools = [native.connect(20), native.connect(20)];
    for (const tool of ["llm.judge", "broker.order"]) {
      const answers = await Promise.all(
        Array.from(
          { length: 1000 },
          (_, i) =>
            pools[i % 2].call<{ granted?: boolean; refused?: string }>("take_tool_token", {
              p_tool: tool,
            }),
        ),
      );
      expect(answers.filter(({ granted }) => granted)).toHaveLength(policy.rate_limits.tools[tool]);
      const refused = answers.filter(({ granted }) => !granted);
      expect(new Set(refused.map((answer) => answer.refused))).toEqual(new Set(["rate_limited"]));
    }
  });
});
