import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { expect, it } from "vitest";
import { nativeUrl, onNativePostgres } from "../support/native.ts";

const script = fileURLToPath(new URL("../../scripts/bench.mjs", import.meta.url));

function start(databaseUrl: string, ...options: string[]) {
  const child = spawn(process.execPath, [script, "--json", "--quick", ...options], {
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let progress = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => out += chunk);
  child.stderr.setEncoding("utf8").on("data", (chunk) => progress += chunk);
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return {
    pid: child.pid,
    interrupt: () => child.kill("SIGINT"),
    said: () => progress,
    async answer() {
      const code = await ended;
      const last = out.trimEnd().split("\n").at(-1) ?? "";
      return { code, lines: out.trimEnd().split("\n").length, summary: last && JSON.parse(last) };
    },
  };
}

async function scratchDatabases(pid: number | undefined): Promise<number> {
  const sql = postgres(nativeUrl!, { max: 1 });
  const rows = await sql`select datname from pg_catalog.pg_database
    where datname like ${`ags\\_bench\\_${pid}\\_%`}`;
  await sql.end();
  return rows.length;
}

it("the bench refuses a figure that it does not know", async () => {
  const bench = start("", "--only", "everything");
  expect(await bench.answer()).toMatchObject({ code: 2, summary: "" });
  expect(bench.said()).toContain("everything is no figure");
});

onNativePostgres("the bench on a server of somebody else's", () => {
  it("publishes no figure of a server that forgets what it acknowledged", async () => {
    const url = new URL(nativeUrl!);
    url.searchParams.set("synchronous_commit", "off");
    const { code, summary } = await start(url.href, "--only", "start,depth").answer();
    expect(code).toBe(1);
    const skipped = "no figure without durability: synchronous_commit is off";
    expect(summary.figures).toEqual({ start: { skipped }, depth: { skipped } });
    expect(Object.values(summary.ratios)).toEqual(Array(8).fill(null));
  });

  it("hands out one object and leaves no database behind", async () => {
    const bench = start(nativeUrl!, "--only", "depth", "--depth", "2000");
    const { code, lines, summary } = await bench.answer();
    expect({ code, lines }).toEqual({ code: 0, lines: 1 });
    expect(summary.durability).toEqual({
      fsync: "on",
      synchronous_commit: "on",
      full_page_writes: "on",
    });
    expect(summary.ratios.claim_depth).toBeGreaterThan(0);
    expect(summary.ratios.steps_vs_pgboss).toBeNull();
    expect(await scratchDatabases(bench.pid)).toBe(0);
  }, 120_000);

  it("gives everything back when it is interrupted, and says what it did not measure", async () => {
    const bench = start(nativeUrl!, "--only", "start,depth");
    await expect.poll(() => scratchDatabases(bench.pid), { timeout: 60_000 }).toBe(2);
    bench.interrupt();
    const { code, summary } = await bench.answer();
    expect(code).toBe(130);
    const skipped = "the run was interrupted";
    expect(summary.figures).toEqual({ start: { skipped }, depth: { skipped } });
    expect(await scratchDatabases(bench.pid)).toBe(0);
  }, 120_000);
});
