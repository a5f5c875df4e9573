import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../scripts/launch.mjs";
import { freePort } from "../support/free-port.ts";
import { Stack } from "../support/stack.ts";

const surroundings = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(COMMAND_CENTER_|DATABASE_URL)/.test(name)),
);

interface Ended {
  code: number | null;
  told: string;
}

/** The command as somebody types it; `until` says which line means that it runs. */
function start(args: string[], env: Record<string, string>) {
  const child: ChildProcess = spawn(
    process.execPath,
    [join(root, "scripts/launch.mjs"), "command-center", ...args],
    { env: { ...surroundings, ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let told = "";
  const runs = new Promise<string | null>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        told += text;
        const url = /answers on (\S+), read-only/.exec(told)?.[1];
        if (url) resolve(url);
      });
    }
    child.once("exit", () => resolve(null));
  });
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code) => resolve({ code, told }))
  );
  return { runs, ended, stop: () => child.kill("SIGTERM") };
}

const nowhere = "postgres://center@127.0.0.1:1/postgres";

describe("npm run command-center", () => {
  it.each([
    ["on every address at once", ["--address", "0.0.0.0"], /neither loopback nor/],
    ["on every address of the newer kind", ["--address", "::"], /neither loopback nor/],
    ["on an address of the local network", ["--address=192.168.1.20"], /neither loopback nor/],
    ["on a carrier's address of the tailnet's range", ["--address=100.70.1.2"], /neither loopback/],
  ])("does not start %s", async (_, args, why) => {
    const { ended } = start(args, { COMMAND_CENTER_DATABASE_URL: nowhere });
    const { code, told } = await ended;
    expect(told).toMatch(why);
    expect(told).toMatch(/^Not starting: /m);
    expect(code).toBe(1);
  });

  it("does not start for the tailnet on a machine that has no tailscale interface", async () => {
    const { ended } = start(["--tailscale"], { COMMAND_CENTER_DATABASE_URL: nowhere });
    const { code, told } = await ended;
    expect(told).toMatch(/no tailscale interface/);
    expect(code).toBe(1);
  });

  it("does not start without a database of its own to look at", async () => {
    const { code, told } = await start([], {}).ended;
    expect(told).toMatch(/belongs to npm start/);
    expect(code).toBe(1);
  });

  it("does not start on a configuration with a secret in it, and does not repeat the secret", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ags-center-"));
    const file = join(folder, "sources.yaml");
    const secret = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b";
    await writeFile(file, `gitea:\n  base_url: http://127.0.0.1:1\n  token: ${secret}\n`);
    const { code, told } = await start([], {
      COMMAND_CENTER_DATABASE_URL: nowhere,
      COMMAND_CENTER_CONFIG: file,
    }).ended;
    await rm(folder, { recursive: true });
    expect(told).toMatch(/looks like a secret/);
    expect(told).not.toContain(secret);
    expect(code).toBe(1);
  });

  it("starts over a database that does not answer, and says that nothing is known", async () => {
    const port = await freePort();
    const running = start([], {
      COMMAND_CENTER_DATABASE_URL: nowhere,
      COMMAND_CENTER_PORT: String(port),
    });
    const url = await running.runs;
    expect(url).toBe(`http://127.0.0.1:${port}/command`);
    const page = await (await fetch(url!)).text();
    expect(page).toContain("database unavailable");
    expect(page).toContain("the database does not answer (ECONNREFUSED)");
    expect(page).not.toMatch(/class="(figure state|tile) good"/);
    running.stop();
    expect((await running.ended).code).toBe(0);
  });
});

describe("npm start", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await Stack.start();
  });
  afterAll(() => stack.remove());

  it("serves the same pages on the embedded database, to this machine alone", async () => {
    const url = /operators\s+(http:\/\/127\.0\.0\.1:\d+\/command), read-only/.exec(stack.out)?.[1];
    expect(url).toBeDefined();
    const accepted = await stack.alert({
      ticker: "BTCUSDT",
      action: "buy",
      price: 67000,
      sl: 66000,
      tp: 72000,
    });
    expect(accepted.status).toBeLessThan(300);
    const board = await Stack.until("the task on the board", async () => {
      const page = await (await fetch(`${url}/board`)).text();
      return /T-\d{4}-\d\d-\d\d-\d{4}/.test(page) && page;
    });
    const id = /T-\d{4}-\d\d-\d\d-\d{4}/.exec(board)?.[0] ?? "";
    const task = await fetch(`${url}/tasks/${id}`);
    expect(task.status).toBe(200);
    expect(await task.text()).toContain("TASK_CREATED");
    expect((await fetch(`${url}/board`, { method: "POST" })).status).toBe(405);
    const agents = await Stack.until("the heartbeat of an agent", async () => {
      const page = await (await fetch(`${url}/agents`)).text();
      return page.includes("planner on") && page;
    }, 30_000);
    expect(agents).toContain("postgres");
  });
});
