import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const launcher = fileURLToPath(new URL("../../scripts/launch.mjs", import.meta.url));
const demo = (...args: string[]) =>
  spawnSync(process.execPath, [launcher, "demo", ...args], {
    encoding: "utf8",
    env: {
      ...process.env,
      TELEGRAM_BOT_TOKEN: "1:of-somebody",
      DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
    },
  });

describe("the demo", () => {
  it(
    "ends with one object that accounts for every hop, and needs nothing of its surroundings",
    () => {
      const ran = demo("--json");
      expect(ran.status).toBe(0);
      const found = JSON.parse(ran.stdout.trim().split("\n").at(-1)!);
      expect(found).toMatchObject({ tier: "T2", status: "archived" });
      expect(found.hops.map(({ name }: { name: string }) => name)).toEqual([
        "intake",
        "plan",
        "retrieve",
        "act",
        "critic",
        "approval",
        "publish",
        "archive",
      ]);
      for (const { ms } of found.hops) expect(ms).toBeGreaterThanOrEqual(0);
      expect(found.approvals).toEqual([
        {
          approver: "olga",
          role: "operator",
          decision: "approve",
          digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      ]);
      expect(found.effects).toEqual([
        {
          kind: "publish",
          status: "confirmed",
          idempotency_key: expect.stringContaining(found.task_id),
        },
      ]);
      expect(found.events[0]).toBe("TASK_CREATED");
      expect(found.events.at(-1)).toBe("TASK_ARCHIVED");
      expect(found.audit_rows).toBeGreaterThan(20);
      expect(ran.stderr).toContain("Nobody approves what they asked for");
      expect(ran.stderr).toContain("decision is on record");
    },
    120_000,
  );

  it(
    "is read on one screen: at most 60 lines of 100 columns, and no colour where nobody looks",
    () => {
      const ran = demo();
      const lines = ran.stdout.trimEnd().split("\n");
      expect(lines.length).toBeLessThanOrEqual(60);
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(100);
      expect(ran.stdout).not.toContain("\u001b");
      expect(ran.stdout).toContain("the Bot API server received these");
    },
    120_000,
  );
});
