import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { nativeUrl, onNativePostgres } from "../support/native.ts";

const script = fileURLToPath(new URL("../../scripts/test-stop.mjs", import.meta.url));

interface Found {
  code: number | null;
  result: {
    where: string;
    row_gone: { started: number; refused: number };
    trials: { started_before: number; started_after: number; refused_after: number }[];
    problems: string[];
  } | null;
}

async function run(url: string, ...options: string[]): Promise<Found> {
  const child = spawn(process.execPath, [script, "--json", ...options], {
    env: { ...process.env, DATABASE_URL: "", TEST_DATABASE_URL: url },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => out += chunk);
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { code, result: out === "" ? null : JSON.parse(out) };
}

it("test:stop refuses a number of executors that is none", async () => {
  expect(await run("", "--executors", "many")).toEqual({ code: 2, result: null });
});

it(
  "test:stop says that it ran in this process, and that nothing started after a stop or without its row",
  async () => {
    const { code, result } = await run("", "--executors", "4", "--trials", "1");
    expect(result?.problems).toEqual([]);
    expect(code).toBe(0);
    expect(result?.where).toContain("PGlite");
    expect(result?.row_gone.started).toBe(0);
    expect(result?.trials[0].started_after).toBe(0);
    expect(result?.trials[0].started_before).toBeGreaterThan(0);
  },
  180_000,
);

onNativePostgres("test:stop against many sessions", () => {
  it("finds no start after a stop", async () => {
    const { code, result } = await run(nativeUrl!, "--executors", "50", "--trials", "2");
    expect(result?.problems).toEqual([]);
    expect(code).toBe(0);
    expect(result?.trials.map(({ started_after }) => started_after)).toEqual([0, 0]);
  }, 180_000);

  it("turns red when the lock is taken out", async () => {
    const { code, result } = await run(nativeUrl!, "--executors", "50", "--without-lock");
    expect(result?.problems).toContain("effects started after a stop");
    expect(code).toBe(1);
  }, 180_000);
});
