import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { openSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import postgres from "postgres";
import { freePort } from "../../tests/support/free-port.ts";

const run = promisify(execFile);
const bin = "/usr/lib/postgresql/17/bin";

/** Where the binaries are: a Debian tree that scripts/ci/tree.sh makes or has made. Null, with the reason, where it cannot. */
export async function findTree(scratch: string): Promise<{ tree: string } | { missing: string }> {
  if (process.getuid?.() !== 0) return { missing: "a PostgreSQL of its own needs root (chroot)" };
  const script = fileURLToPath(new URL("../ci/tree.sh", import.meta.url));
  try {
    const { stdout } = await run(script, { env: { ...process.env, SCRATCH: scratch } });
    return { tree: stdout.trim() };
  } catch (error) {
    const { message } = error instanceof Error ? error : new Error(String(error));
    return { missing: `no PostgreSQL 17 could be made: ${message.split("\n")[0]}` };
  }
}

export type StopMode = "smart" | "fast" | "immediate" | "kill";
const signals: Record<StopMode, NodeJS.Signals> = {
  smart: "SIGTERM",
  fast: "SIGINT",
  immediate: "SIGQUIT",
  kill: "SIGKILL",
};

/** A PostgreSQL 17 of this run: fsync on, a loopback port, data that goes away with it. Ended by its pid alone. */
export class PostgresServer {
  #child: ChildProcess | null = null;
  /** How the process ended, each time. */
  readonly endings: string[] = [];

  private constructor(
    readonly tree: string,
    /** Seen from outside the chroot. */
    readonly home: string,
    readonly port: number,
    readonly password: string,
    readonly settings: string[],
  ) {}

  /**
   * `home` is a directory of the tree (on a mount), or none to make one. `made` is told before anything is written, so
   * that a run which is cut short knows what to put away.
   */
  static async create(
    tree: string,
    { settings = [], home, made: tell }: {
      settings?: string[];
      home?: string;
      made: (server: PostgresServer) => void;
    },
  ): Promise<PostgresServer> {
    const made = home ?? await mkdtemp(join(tree, "var/tmp/ags-faults-"));
    const server = new PostgresServer(
      tree,
      made,
      await freePort(),
      randomBytes(18).toString("hex"),
      settings,
    );
    tell(server);
    await mkdir(made, { recursive: true });
    await chmod(made, 0o755);
    await writeFile(join(made, "superuser"), server.password);
    await run("chroot", [tree, "chown", "-R", "postgres:postgres", server.#inside]);
    await run("chroot", [
      ...server.#jail,
      `${bin}/initdb`,
      "-D",
      `${server.#inside}/db`,
      "--encoding=UTF8",
      "--locale=C.UTF-8",
      "--username=postgres",
      `--pwfile=${server.#inside}/superuser`,
      "--auth=scram-sha-256",
    ]);
    await rm(join(made, "superuser"));
    return server;
  }

  get #inside(): string {
    return this.home.slice(this.tree.length);
  }

  get #jail(): string[] {
    const environment = ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", `HOME=${this.#inside}`];
    return ["--userspec=postgres:postgres", this.tree, "/usr/bin/env", "-i", ...environment];
  }

  get url(): string {
    return `postgres://postgres:${this.password}@127.0.0.1:${this.port}/postgres`;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error("this server does not run");
    return pid;
  }

  get runs(): boolean {
    return this.#child !== null;
  }

  /** What the server itself wrote down. */
  log(): Promise<string> {
    return readFile(join(this.home, "log"), "utf8");
  }

  /** The children of a killed postmaster notice its death within a moment; until then nobody else may have the data. */
  async start(): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        return await this.#startOnce();
      } catch (error) {
        if (tries === 20 || !(await this.log()).slice(-600).includes("is still in use")) {
          throw error;
        }
        await sleep(250);
      }
    }
  }

  async #startOnce(): Promise<void> {
    const log = openSync(join(this.home, "log"), "a");
    const settings = [
      "listen_addresses=127.0.0.1",
      `unix_socket_directories=${this.#inside}`,
      "fsync=on",
      "synchronous_commit=on",
      "dynamic_shared_memory_type=mmap",
      "max_connections=120",
      "shared_buffers=128MB",
      "log_min_messages=warning",
      "timezone=UTC",
      ...this.settings,
    ].flatMap((setting) => ["-c", setting]);
    // chroot and env become the server: the child's pid is the postmaster's. Its group keeps a terminal's Ctrl-C away.
    const child = spawn("chroot", [
      ...this.#jail,
      `${bin}/postgres`,
      "-D",
      `${this.#inside}/db`,
      "-p",
      String(this.port),
      ...settings,
    ], { stdio: ["ignore", log, log], detached: true });
    this.#child = child;
    child.once("exit", (code, signal) => {
      this.endings.push(signal ?? `exit ${code}`);
      if (this.#child === child) this.#child = null;
    });
    await this.answers();
  }

  /** Waits until it lets somebody in. */
  async answers(ms = 30_000): Promise<void> {
    const end = Date.now() + ms;
    for (;;) {
      if (this.#child === null) throw new Error(`PostgreSQL ended:\n${await this.log()}`);
      const sql = postgres(this.url, { max: 1, connect_timeout: 2, onnotice: () => {} });
      const problem = await sql.unsafe("select 1").then(() => null, String);
      await sql.end({ timeout: 1 });
      if (problem === null) return;
      if (Date.now() > end) throw new Error(`PostgreSQL does not answer: ${problem}`);
      await sleep(50);
    }
  }

  /** Returns how it ended: the signal, or the exit code. */
  async stop(mode: StopMode): Promise<string> {
    const child = this.#child;
    if (child?.pid === undefined) return "was not running";
    const ended = new Promise<string>((resolve) =>
      child.once("exit", (code, signal) => resolve(signal ?? `exit ${code}`))
    );
    process.kill(child.pid, signals[mode]);
    return await ended;
  }

  /** Runs one of the server's own programs inside the tree. */
  async program(name: string, args: string[]): Promise<string> {
    const { stdout, stderr } = await run("chroot", [
      ...this.#jail,
      `PGPASSWORD=${this.password}`,
      `${bin}/${name}`,
      "-h",
      "127.0.0.1",
      "-p",
      String(this.port),
      "-U",
      "postgres",
      ...args,
    ]);
    return `${stdout}${stderr}`;
  }

  async remove(): Promise<void> {
    const neverRan = !this.runs && this.endings.length === 0;
    await this.stop("immediate");
    const clear = () =>
      // The children of a killed postmaster notice its death within a moment; until then they hold the files.
      rm(this.home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    await clear();
    if (!neverRan) return;
    // Whoever was making the data when it was taken away has given up by now.
    await sleep(2000);
    await clear();
  }
}
