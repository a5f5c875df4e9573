import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ INTAKE_TOKENS: "", SERVICE_TOKEN: "", TELEGRAM_WEBHOOK_SECRET: "" });
}, 120_000);
afterAll(() => stack?.remove());

const launcher = fileURLToPath(new URL("../../scripts/launch.mjs", import.meta.url));

/** A second start that is to fail: what it said, and its exit code in front. */
async function startAnother(env: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "ags-another-"));
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, "start"], {
    encoding: "utf8",
    timeout: 50_000,
    env: { ...process.env, PORT: "0", DATA_DIR: directory, DATABASE_URL: "", ...env },
  });
  await rm(directory, { recursive: true, force: true });
  return `${status}: ${stdout}${stderr}`;
}

describe("npm start", () => {
  it(
    "says who holds the directory when it is started twice, and leaves that one alone",
    async () => {
      expect(await startAnother({ DATA_DIR: stack.dataDir })).toMatch(
        /^1: .* is in use by npm start, process \d+/,
      );
      expect((await fetch(`${stack.url}/dags-domain-health`)).status).toBe(200);
    },
    60_000,
  );

  it("says that the port is taken", async () => {
    const said = await startAnother({ PORT: String(stack.port) });
    expect(said).toMatch(/^1: /);
    expect(said).toContain(`Port ${stack.port} is taken`);
  }, 60_000);

  it("says what to set instead of a wrong value, all of it at once", async () => {
    const said = await startAnother({
      PORT: "99999",
      TELEGRAM_BOT_TOKEN: "nonsense",
      LLM_MODEL: "alone",
    });
    expect(said).toContain("PORT must be a number from 0 to 65535");
    expect(said).toContain("TELEGRAM_BOT_TOKEN must look like");
    expect(said).toContain("LLM_BASE_URL and LLM_MODEL belong together");
    expect(said).not.toContain(" at ");
  }, 60_000);

  it("says that a file is no directory", async () => {
    expect(await startAnother({ DATA_DIR: `${stack.dataDir}/secrets.env` })).toMatch(
      /^1: \S+secrets\.env cannot be the data directory \(.+\): set DATA_DIR to .+\n$/,
    );
  }, 60_000);

  it("says that a Postgres of your own does not answer", async () => {
    const said = await startAnother({ DATABASE_URL: "postgres://me:hidden@127.0.0.1:1/none" });
    expect(said).toContain("DATABASE_URL does not answer");
    expect(said).not.toContain("hidden");
  }, 60_000);

  it("makes the secrets that are not set, for the owner of the directory alone, and prints none", async () => {
    const path = `${stack.dataDir}/secrets.env`;
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const values = (await readFile(path, "utf8")).split("\n").filter((line) => /^[A-Z]/.test(line));
    expect(values.map((line) => line.split("=")[0])).toEqual([
      "INTAKE_TOKENS",
      "SERVICE_TOKEN",
      "TELEGRAM_WEBHOOK_SECRET",
      "APPROVAL_SIGNING_KEY",
      "SECOND_FACTOR_KEY",
    ]);
    for (const line of values) {
      const [, ...value] = line.split("=");
      expect(stack.out).not.toContain(value.findLast(Boolean)!);
    }
    expect(stack.out).toContain(path);
  });

  it("opens its socket to the owner of the directory alone", async () => {
    const found = await stat(`${stack.dataDir}/ags.sock`);
    expect(found.isSocket()).toBe(true);
    expect(found.mode & 0o777).toBe(0o600);
  });

  it("prints a pairing code while there is no owner, and keeps only its hash", async () => {
    const [, code] = /\/start ([A-Z2-9]{10})/.exec(stack.out)!;
    const ran = await stack.ags("sql", "select * from audit_logs", "--json");
    expect(ran.out).not.toContain(code);
  }, 60_000);

  it(
    "recognises the lock of a process that was killed, and goes on with the same secrets",
    async () => {
      const before = await readFile(`${stack.dataDir}/secrets.env`, "utf8");
      await stack.kill();
      stack.out = "";
      await stack.start();
      await Stack.until(
        "the welcome",
        () => stack.out.includes("its lock was taken over") ? true : null,
      );
      expect(await readFile(`${stack.dataDir}/secrets.env`, "utf8")).toBe(before);
    },
    60_000,
  );

  it("gives everything back on ctrl-C", async () => {
    expect(await stack.interrupt()).toBe(0);
    expect(stack.out).toContain("Stopped.");
    await expect(stat(`${stack.dataDir}/ags.sock`)).rejects.toThrow(/ENOENT/);
    expect(await readFile(`${stack.dataDir}/lock`, "utf8")).toBe("");
  }, 60_000);
});
