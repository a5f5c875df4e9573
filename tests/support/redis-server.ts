import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@redis/client";
import { freePort } from "./free-port.ts";

export const redisInstalled = spawnSync("redis-server", ["--version"]).status === 0;

export type RedisClient = Awaited<ReturnType<RedisServer["client"]>>;

/** Servers that still run: a run that is cut short must not leave them behind. */
const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** A real server on a loopback port and in a directory of its own; only that process is ever ended. */
export class RedisServer {
  #child: ChildProcess | null = null;
  #clients: { destroy(): void; isOpen: boolean }[] = [];

  private constructor(
    readonly directory: string,
    readonly port: number,
    readonly keeps: boolean,
  ) {}

  /** One that keeps has after a crash what it had before it. */
  static async start({ keeps = true } = {}): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), "ags-redis-"));
    const server = new RedisServer(directory, await freePort(), keeps);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const kept = this.keeps
      ? ["--appendonly", "yes", "--appendfsync", "always"]
      : ["--appendonly", "no"];
    const child = spawn("redis-server", [
      ...["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.directory],
      ...["--save", "", ...kept],
    ], { stdio: "ignore" });
    this.#child = child;
    running.add(child);
    child.once("exit", () => running.delete(child));
    for (let tries = 0; tries < 200; tries++) {
      const client = await this.client().catch(() => null);
      if (client !== null) return;
      await sleep(25);
    }
    throw new Error("redis-server did not answer");
  }

  /** Ends it at once, as a crash would; says how it ended. */
  async kill(): Promise<string> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return "was not running";
    const ended = new Promise<string>((resolve) =>
      child.once("exit", (code, signal) => resolve(signal ?? `exit ${code}`))
    );
    child.kill("SIGKILL");
    return await ended;
  }

  /** It keeps its port and answers nothing. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  /** A connection of the test's own. */
  async client() {
    const client = createClient({
      url: this.url,
      RESP: 2,
      socket: { reconnectStrategy: false, connectTimeout: 1_000 },
    });
    client.on("error", () => {
      // The test ends the server; whoever asks after that is told by the call.
    });
    await client.connect();
    this.#clients.push(client);
    return client;
  }

  /** Commands one after the other, on a connection of their own, and what each said. */
  async commands(...all: string[][]): Promise<unknown[]> {
    const client = await this.client();
    const said: unknown[] = [];
    try {
      for (const command of all) said.push(await client.sendCommand(command));
    } finally {
      client.destroy();
    }
    return said;
  }

  async flush(): Promise<void> {
    await this.commands(["FLUSHALL"]);
  }

  /** It accepts everything and answers nobody for so long. */
  async pause(milliseconds: number): Promise<void> {
    await this.commands(["CLIENT", "PAUSE", String(milliseconds), "ALL"]);
  }

  async remove(): Promise<void> {
    for (const client of this.#clients) if (client.isOpen) client.destroy();
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}
