import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProcessTable } from "../../../command-center/sources/agent/process-table.ts";
import { configurationOf } from "../../../command-center/sources/configuration/read.ts";
import { outsideSources } from "../../../command-center/sources/outside.ts";
import { agentState } from "../../../command-center/projection/agent-state.ts";
import { look } from "../support/configured.ts";

let folder: string;
const started: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "agent-"));
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const ago = (seconds: number): Date => new Date(Date.now() - seconds * 1000);

const sleeper = (): number => {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  started.push(child);
  if (child.pid === undefined) throw new Error("sleep did not start");
  return child.pid;
};

const pidFile = (pid: number | string, written = new Date()): void => {
  writeFileSync(join(folder, "pid"), `${pid}\n`);
  utimesSync(join(folder, "pid"), written, written);
};

const beat = (said: object | string, written = new Date()): void => {
  writeFileSync(join(folder, "beat"), typeof said === "string" ? said : JSON.stringify(said));
  utimesSync(join(folder, "beat"), written, written);
};

const read = async (
  files: object = { pid_file: "pid", heartbeat_file: "beat" },
  processes?: ProcessTable,
) => {
  const configured = configurationOf(
    JSON.stringify({ agents: [{ name: "builder", works_as: "builder-bot", ...files }] }),
    folder,
  );
  const outside = { fetch: globalThis.fetch, variable: () => undefined, processes };
  const { agents: [reader] } = outsideSources(configured, outside);
  const now = new Date();
  const reading = await reader.read(now, look());
  const { status, reason, value } = reading;
  const verdict = value?.[0] && agentState(value[0], now);
  return { status, reason, state: verdict?.state, picture: verdict?.picture, verdict };
};

describe("the five pictures", () => {
  it("process missing: the number is nobody's", async () => {
    const child = spawn("true", { stdio: "ignore" });
    const pid = child.pid ?? 0;
    await new Promise((resolve) => child.once("exit", resolve));
    pidFile(pid);
    beat({ at: new Date().toISOString(), status: "idle" });
    expect(await read()).toMatchObject({
      status: "degraded",
      reason: "its process is gone",
      state: "down",
      picture: "process missing",
    });
  });

  it("present but unhealthy: a process without a heartbeat is not enough", async () => {
    pidFile(sleeper());
    expect(await read()).toMatchObject({
      status: "degraded",
      reason: "it has left no heartbeat",
      state: "degraded",
      picture: "present but unhealthy",
    });
  });

  it("present but unhealthy: it beats no more", async () => {
    pidFile(sleeper());
    beat({ at: ago(200).toISOString(), status: "busy" });
    expect(await read()).toMatchObject({
      status: "stale",
      state: "degraded",
      picture: "present but unhealthy",
    });
  });

  it("healthy and idle", async () => {
    pidFile(sleeper());
    beat({ at: new Date().toISOString(), status: "idle" });
    expect(await read()).toMatchObject({
      status: "live",
      state: "idle",
      picture: "healthy and idle",
    });
  });

  it("healthy and working", async () => {
    pidFile(sleeper());
    const claim = { id: "example/plane#1", claimed_at: ago(1740).toISOString() };
    beat({ at: new Date().toISOString(), status: "busy", claim });
    expect(await read()).toMatchObject({
      status: "live",
      state: "busy",
      picture: "healthy and working",
    });
  });

  it("stale on one item: alive, and nothing has happened for 31 minutes", async () => {
    pidFile(sleeper());
    const claim = { id: "example/plane#1", claimed_at: ago(1860).toISOString() };
    beat({ at: new Date().toISOString(), status: "busy", claim });
    expect(await read()).toMatchObject({
      status: "live",
      state: "degraded",
      picture: "stale on one item",
    });
  });
});

describe("a process", () => {
  it("is not the one of the pid file when it started after that was written", async () => {
    pidFile(sleeper(), ago(3600));
    beat({ at: new Date().toISOString(), status: "idle" });
    expect(await read()).toMatchObject({
      state: "down",
      reason: "its process id belongs to another process now",
    });
  });

  it("that is stopped is there and does not count", async () => {
    const pid = sleeper();
    process.kill(pid, "SIGSTOP");
    pidFile(pid);
    beat({ at: new Date().toISOString(), status: "idle" });
    expect(await read()).toMatchObject({
      status: "degraded",
      reason: "its process is stopped",
      picture: "present but unhealthy",
    });
  });

  it("other than the one that beats is said to be another", async () => {
    const pid = sleeper();
    pidFile(pid);
    beat({ at: new Date().toISOString(), status: "idle", pid: pid + 1 });
    expect((await read()).reason)
      .toBe(`its heartbeat is of process ${pid + 1}, its pid file says ${pid}`);
  });

  it("has no word where processes cannot be looked at, and the heartbeat's counts", async () => {
    pidFile(4711);
    beat({ at: new Date().toISOString(), status: "idle" });
    const refused: ProcessTable = () => Promise.reject(new Error("no permission"));
    const files = { pid_file: "pid", heartbeat_file: "beat" };
    expect(await read(files, refused)).toMatchObject({
      status: "degraded",
      reason: "processes cannot be looked at on this machine",
      state: "degraded",
    });
    const alone = await read({ pid_file: "pid" }, refused);
    expect([alone.status, alone.reason])
      .toEqual(["unknown", "processes cannot be looked at on this machine"]);
  });

  it.each(["", "0", "-1", "self", "99999999999"])(
    "is unknown where the pid file holds %j",
    async (text) => {
      pidFile(text);
      beat("");
      expect(await read()).toMatchObject({
        status: "unknown",
        reason: "the pid file holds no process id",
      });
    },
  );
});

describe("a heartbeat", () => {
  const alone = { heartbeat_file: "beat" };

  it("may be an empty file that is touched: then it is up, and nothing says what it does", async () => {
    beat("");
    expect(await read(alone)).toMatchObject({ status: "live", state: "up" });
    beat("", ago(200));
    expect(await read(alone)).toMatchObject({ status: "stale", state: "down" });
  });

  it("may be a bare time", async () => {
    beat(String(Date.now() / 1000), ago(5000));
    expect(await read(alone)).toMatchObject({ status: "live", state: "up" });
  });

  it("counts by the time in it, not by when the file was touched", async () => {
    beat({ at: ago(200).toISOString(), status: "idle" });
    expect((await read(alone)).status).toBe("stale");
  });

  it.each([
    ['{"at": "2026-11-2', "the heartbeat is no whole JSON"],
    ['{"at": "yesterday", "status": "idle"}', "the heartbeat has no readable time"],
    // The year 1970, and a time in milliseconds.
    ['{"at": 17952, "status": "idle"}', "the heartbeat has no readable time"],
    ['{"at": 1795261200482, "status": "idle"}', "the heartbeat has no readable time"],
    ['{"status": "splendid"}', "the heartbeat has another shape than expected at status"],
  ])("is unknown where it is %j", async (text, reason) => {
    beat(text);
    expect(await read(alone)).toMatchObject({ status: "unknown", reason });
  });

  it("that is a pipe is not waited for", async () => {
    execFileSync("mkfifo", [join(folder, "beat")]);
    expect(await read(alone)).toMatchObject({
      status: "unknown",
      reason: "it is no ordinary file",
    });
  });

  it("that is not there makes it unknown", async () => {
    expect(await read(alone)).toMatchObject({
      status: "unknown",
      reason: "it has left no heartbeat",
    });
  });

  it("says that it is rate limited", async () => {
    beat({ status: "rate_limited", failure: "429 from the provider" });
    expect(await read(alone)).toMatchObject({ state: "rate_limited" });
  });
});
