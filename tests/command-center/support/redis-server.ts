import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";

const program = "/usr/bin/redis-server";
export const hasRedis = existsSync(program);

/** A real Redis on a free port of the loopback, without a file of its own left behind. */
export class RedisServer {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#child = child;
    this.#folder = folder;
  }

  static async start(): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), "redis-"));
    const port = await freePort();
    const child = spawn(program, [
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder],
      ...["--save", "", "--appendonly", "no"],
    ], { stdio: "ignore" });
    const server = new RedisServer(`redis://127.0.0.1:${port}`, child, folder);
    await server.#ready();
    return server;
  }

  async #ready(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      try {
        await this.commands(["PING"]);
        return;
      } catch (error) {
        if (tries === 99) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async commands(...all: string[][]): Promise<void> {
    const client = createClient({ url: this.url, socket: { reconnectStrategy: false } });
    client.on("error", () => {});
    await client.connect();
    try {
      for (const command of all) await client.sendCommand(command);
    } finally {
      client.destroy();
    }
  }

  /** It keeps its port and answers nothing. */
  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
      this.#child.kill("SIGKILL");
      await gone;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (address === null || typeof address === "string") return reject(new Error("no port"));
      server.close(() => resolve(address.port));
    });
  });
}
