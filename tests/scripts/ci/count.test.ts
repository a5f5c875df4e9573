import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";

const script = fileURLToPath(new URL("../../../scripts/ci/count.mjs", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "ags-count-"));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
function report(value: unknown): string {
  const path = join(directory, `${files++}.json`);
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
  return path;
}

function count(stages: number, ...paths: string[]) {
  const { status, stdout } = spawnSync(process.execPath, [script, String(stages), ...paths], {
    encoding: "utf8",
  });
  return { status, lines: stdout.trimEnd().split("\n") };
}

const suite = (more: Record<string, unknown> = {}) => ({
  numPassedTests: 3,
  numPendingTests: 0,
  numTodoTests: 0,
  numFailedTests: 0,
  success: true,
  testResults: [],
  ...more,
});
const row = (verdict: string) => ({
  results: [{ id: 41, fault: "a snapshot", observed: "slow", verdict }],
});

it("adds up what passed, and a run without a failure is green", () => {
  expect(count(0, report(suite()), report(suite({ numPendingTests: 2 })), report(row("green"))))
    .toEqual({ status: 0, lines: ["2 skipped, each with its reason above", "6 passed, 0 failed"] });
});

it("counts a stage that failed, a report that is not there, and one that is empty", () => {
  const { status, lines } = count(1, report(suite()), join(directory, "none.json"), report(""));
  expect(status).toBe(1);
  expect(lines.slice(0, 2).every((line) => line.startsWith("failed: no report in"))).toBe(true);
  expect(lines.at(-1)).toBe("3 passed, 3 failed");
});

it("is not green where nothing passed", () => {
  expect(count(0).status).toBe(1);
});

it("names each failed test with its first line, and a file that could not be loaded", () => {
  const name = join(process.cwd(), "tests/a.test.ts");
  const failed = suite({
    numFailedTests: 1,
    success: false,
    testResults: [
      {
        name,
        message: "",
        assertionResults: [
          { status: "passed", fullName: "fine", failureMessages: [] },
          { status: "failed", fullName: "a sentence", failureMessages: ["Error: no\n  at x"] },
        ],
      },
      { name, message: "cannot find module\nhere", assertionResults: [] },
    ],
  });
  expect(count(0, report(failed)).lines).toEqual([
    "failed: tests/a.test.ts: a sentence: Error: no",
    "failed: tests/a.test.ts: cannot find module",
    "3 passed, 1 failed",
  ]);
});

it.each(["red", "not injected"])("names a row of the faults that is %s", (verdict) => {
  expect(count(1, report(suite()), report(row(verdict))).lines).toEqual([
    `${verdict}: row 41, a snapshot: slow`,
    "3 passed, 1 failed",
  ]);
});
