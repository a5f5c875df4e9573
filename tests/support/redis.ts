import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@redis/client";
import { describe } from "vitest";
import { freePort } from "./stack.ts";

const installed = spawnSync("redis-server", ["--version"]).status === 0;

/** What needs a real redis-server says so when there is none, and is counted as skipped. */
export function withRealRedis(name: string, body: () => void): void {
  if (!installed) console.warn(`Skipped, since redis-server is not installed: ${name}`);
  describe.skipIf(!installed)(name, body);
}

export type RedisClient = Awaited<ReturnType<RedisServer["client"]>>;

/** Servers that still run: a test run that is cut short must not leave them behind. */
const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** A real server on a loopback port and in a directory of its own; only that process is ever ended. */
export class RedisServer {
  #child: ChildProcess | null = null;
  #clients: { destroy(): void; isOpen: boolean }[] = [];

  private constructor(readonly directory: string, readonly port: number) {}

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await mkdtemp(join(tmpdir(), "ags-redis-")), await freePort());
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** What was there when the server was last ended in order is there again. */
  async start(): Promise<void> {
    const child = spawn("redis-server", [
      ...["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.directory],
      ...["--save", "", "--appendonly", "yes", "--appendfsync", "always"],
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

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
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

  async flush(): Promise<void> {
    const client = await this.client();
    await client.flushAll();
  }

  /** It accepts everything and answers nobody for so long. */
  async pause(milliseconds: number): Promise<void> {
    const client = await this.client();
    await client.sendCommand(["CLIENT", "PAUSE", String(milliseconds), "ALL"]);
  }

  async remove(): Promise<void> {
    for (const client of this.#clients) if (client.isOpen) client.destroy();
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}
