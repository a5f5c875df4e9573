import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@redis/client";
import { freePort } from "./postgres-server.ts";

export const redisInstalled = (): boolean => spawnSync("redis-server", ["--version"]).status === 0;

/** A Redis of this run on a loopback port, in memory alone; ended by its pid. */
export class RedisServer {
  #child: ChildProcess | null = null;

  private constructor(readonly port: number) {}

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort());
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#child = spawn("redis-server", [
      "--port",
      String(this.port),
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--appendonly",
      "no",
    ], {
      stdio: "ignore",
      detached: true,
    });
    for (let tries = 0; tries < 100; tries++) {
      if (await this.command(["PING"]).then(() => true, () => false)) return;
      await sleep(50);
    }
    throw new Error("redis-server did not answer");
  }

  /** One command on a connection of its own. */
  async command(words: string[]): Promise<unknown> {
    const client = createClient({
      url: this.url,
      RESP: 2,
      socket: { reconnectStrategy: false, connectTimeout: 1000 },
    });
    const errors: unknown[] = [];
    client.on("error", (error) => errors.push(error));
    await client.connect();
    try {
      return await client.sendCommand(words);
    } finally {
      client.destroy();
    }
  }

  async kill(): Promise<string> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return "was not running";
    const ended = new Promise<string>((resolve) =>
      child.once("exit", (code, signal) => resolve(signal ?? `exit ${code}`))
    );
    child.kill("SIGKILL");
    return await ended;
  }
}
