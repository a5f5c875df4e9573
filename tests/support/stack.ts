import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { until } from "./until.ts";

const launcher = fileURLToPath(new URL("../../scripts/launch.mjs", import.meta.url));

/** Variables of whoever runs the tests that a stack of the tests must not see. */
const foreign =
  /^(PORT|DATA_DIR|DATABASE_URL|INTAKE_TOKENS|SERVICE_TOKEN|APPROVAL_SIGNING_KEY|SECOND_FACTOR_KEY|TELEGRAM_.*|LLM_.*|REDIS_URL|COMMAND_CENTER_.*)$/;
const surroundings = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !foreign.test(name)),
);

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** Groups that still run: a test run that is cut short must not leave them behind. */
const groups = new Set<number>();
function endGroups(): void {
  for (const pid of groups) {
    try {
      process.kill(-pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
  groups.clear();
}
process.once("exit", endGroups);
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    endGroups();
    process.exit(1);
  });
}

/** The real Deno process on a directory and a port of its own, started the way a newcomer starts it. */
export class Stack {
  #child: ChildProcess | null = null;
  out = "";

  private constructor(
    readonly dataDir: string,
    readonly port: number,
    readonly env: Record<string, string>,
  ) {}

  static async prepare(env: Record<string, string> = {}): Promise<Stack> {
    const dataDir = await mkdtemp(join(tmpdir(), "ags-stack-"));
    return new Stack(dataDir, await freePort(), {
      INTAKE_TOKENS: "desk=desk-token-0123456789",
      SERVICE_TOKEN: "service-token-0123456789",
      TELEGRAM_WEBHOOK_SECRET: "webhook-secret-0123456789",
      COMMAND_CENTER_PORT: "0",
      ...env,
    });
  }

  static async start(env: Record<string, string> = {}): Promise<Stack> {
    const stack = await Stack.prepare(env);
    await stack.start();
    return stack;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/functions/v1`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  #environment(): NodeJS.ProcessEnv {
    return { ...surroundings, ...this.env, PORT: String(this.port), DATA_DIR: this.dataDir };
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [launcher, "start"], {
      env: this.#environment(),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a group of its own: a kill reaches Deno itself, and nothing else
    });
    this.#child = child;
    if (child.pid) groups.add(child.pid);
    child.once("exit", () => child.pid && groups.delete(child.pid));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.out += text);
    }
    for (let tries = 0; tries < 300; tries++) {
      if (child.exitCode !== null) break;
      const ready = await fetch(`${this.url}/dags-domain-health`).then(() => true, () => false);
      if (ready) return;
      await sleep(100);
    }
    throw new Error(`the stack did not answer:\n${this.out}`);
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (!child?.pid || child.exitCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    process.kill(-child.pid, signal);
    return await ended;
  }

  /** Ctrl-C. */
  interrupt(): Promise<number | null> {
    return this.#end("SIGINT");
  }

  /** kill -9 of the launcher and the Deno process that this stack started. */
  kill(): Promise<number | null> {
    return this.#end("SIGKILL");
  }

  async remove(): Promise<void> {
    await this.interrupt();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  ags(...args: string[]): Promise<Ran> {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [launcher, "ags", ...args], {
        env: this.#environment(),
        stdio: ["ignore", "pipe", "pipe"],
      });
      const ran: Ran = { code: null, out: "", err: "" };
      child.stdout.setEncoding("utf8").on("data", (text) => ran.out += text);
      child.stderr.setEncoding("utf8").on("data", (text) => ran.err += text);
      child.once("close", (code) => resolve({ ...ran, code }));
    });
  }

  async sql<T = Record<string, unknown>>(text: string): Promise<T[]> {
    const ran = await this.ags("sql", text, "--json");
    if (ran.code !== 0) throw new Error(`ags sql: ${ran.err}`);
    return JSON.parse(ran.out);
  }

  /** Where a task stands, through the socket: without a process and a snapshot for every look. */
  async status(taskId: string): Promise<string | undefined> {
    const told = await new Promise<string>((resolve, reject) => {
      let line = "";
      const socket = connect(join(this.dataDir, "ags.sock"));
      socket.setEncoding("utf8").on("data", (text: string) => line += text);
      socket.once("error", reject).once("end", () => resolve(line));
      socket.write(`${JSON.stringify({ command: "status", id: taskId })}\n`);
    });
    return JSON.parse(told).result?.status;
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method: "POST",
      headers,
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  alert(body: unknown, token = "desk-token-0123456789"): Promise<Response> {
    return this.post(`/intake/tradingview/${token}`, body);
  }

  service(path: string, body: unknown): Promise<Response> {
    return this.post(path, body, { authorization: `Bearer ${this.env.SERVICE_TOKEN}` });
  }

  ask(
    action: string,
    goal: string,
    payload: Record<string, unknown>,
    actor = "desk",
  ): Promise<Response> {
    return this.service("/intake/tasks", {
      source: "desk",
      source_event_id: goal,
      actor,
      goal,
      action,
      payload,
    });
  }

  async health(): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.url}/dags-domain-health`, {
      headers: { authorization: `Bearer ${this.env.SERVICE_TOKEN}` },
    });
    return await answer.json();
  }

  /** Waits until the phone shows it; `what` names it when it does not come. */
  static until<T>(what: string, look: Parameters<typeof until<T>>[1], ms = 15_000): Promise<T> {
    return until(what, look, ms);
  }
}

export const goodAlert = (more: Record<string, unknown> = {}) => ({
  ticker: "BTCUSDT",
  action: "buy",
  price: 67000,
  sl: 66000,
  tp: 72000,
  ...more,
});
