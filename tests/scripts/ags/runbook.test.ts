import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack } from "../../support/stack.ts";

const launcher = fileURLToPath(new URL("../../../scripts/launch.mjs", import.meta.url));
let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
}, 200_000);
afterAll(() => stack?.remove());

describe("ags runbook", () => {
  it("changes nothing where nobody can be asked, and knows its names", async () => {
    expect((await stack.ags("runbook", "desync")).err).toContain("--dry-run");
    expect((await stack.ags("runbook", "flood", "--yes")).err).toContain("There is no runbook");
    expect((await stack.ags("runbook", "desync", "--yes", "--watch", "-1")).code).not.toBe(0);
  }, 120_000);

  it("goes through its steps on a running stack and leaves nobody paused", async () => {
    const { out, err, code } = await stack.ags("runbook", "desync", "--yes", "--watch", "0");
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toContain("1/6 Pause the consumers");
    expect(out).toContain("done: resume orchestrator");
    const listed = await stack.ags("consumers", "--json");
    expect(JSON.parse(listed.out).filter(({ status }: { status: string }) => status === "paused"))
      .toEqual([]);
  }, 120_000);
});

describe("ags runbook that is interrupted", () => {
  it("resumes whom it had paused, and says so", async () => {
    const child = spawn(
      process.execPath,
      [launcher, "ags", "runbook", "desync", "--yes", "--watch", "300"],
      {
        env: { ...process.env, DATABASE_URL: "", DATA_DIR: stack.dataDir },
        detached: true, // a group of its own: what a terminal's Ctrl-C reaches
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        if (!said.includes("done: pause") && `${said}${text}`.includes("done: pause")) {
          process.kill(-Number(child.pid), "SIGINT");
        }
        said += text;
      });
    }
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect(said).toContain("The runbook was interrupted.");
    expect(said).toContain("since the runbook was cut short");
    expect(code).toBe(1);
    const listed = await stack.ags("consumers", "--json");
    expect(JSON.parse(listed.out).filter(({ status }: { status: string }) => status === "paused"))
      .toEqual([]);
  }, 120_000);
});

describe("ags chaos", () => {
  it("refuses a case that nobody knows, and to keep a run to itself unasked", async () => {
    expect((await stack.ags("chaos", "fire", "--yes")).err).toContain("There is no case");
    expect((await stack.ags("chaos", "tool-down")).err).toContain("--yes");
  }, 120_000);

  it("makes trouble elsewhere and leaves one row here", async () => {
    const { out, err, code } = await stack.ags("chaos", "llm-timeout", "--yes");
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toContain("recovered  yes, by runbook tool-failure");
    const runs = await stack.ags(
      "sql",
      "select case_name, recovered from chaos_runs",
      "--json",
    );
    expect(JSON.parse(runs.out)).toEqual([{ case_name: "llm-timeout", recovered: true }]);
    expect((await stack.ags("audit", "chaos_overdue")).out).toContain("(0 rows)");
  }, 200_000);
});
