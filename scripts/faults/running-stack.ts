import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BotApi } from "../../tests/support/bot-api.ts";
import { findDeno, launchPlan } from "../launch.mjs";
import type { FaultedDatabase } from "./faulted-database.ts";
import { freePort } from "../../tests/support/free-port.ts";
import type { Scene } from "./scene.ts";

export const channel = "-1005550001111";
const surroundings = Object.fromEntries(
  ["PATH", "HOME", "USER", "LOGNAME", "TMPDIR"].map((name) => [name, process.env[name] ?? ""]),
);

/** The platform as `npm start` runs it, in a process of its own, on one database of the row. */
export class RunningStack {
  #child: ChildProcess | null = null;
  out = "";

  private constructor(
    readonly database: FaultedDatabase,
    readonly port: number,
    readonly dataDir: string,
    readonly env: Record<string, string>,
  ) {}

  static async start(
    scene: Scene,
    more: { env?: Record<string, string>; database?: FaultedDatabase } = {},
  ): Promise<RunningStack> {
    const database = more.database ?? await scene.database();
    const dataDir = await mkdtemp(join(await scene.scratch(), "stack-"));
    const stack = new RunningStack(database, await freePort(), dataDir, {
      INTAKE_TOKENS: "desk=desk-token-0123456789",
      SERVICE_TOKEN: "service-token-0123456789",
      TELEGRAM_WEBHOOK_SECRET: "webhook-secret-0123456789",
      DATABASE_URL: database.url,
      ...more.env,
    });
    scene.onRowEnd(async () => {
      await stack.end("SIGTERM");
      await rm(dataDir, { recursive: true, force: true });
    });
    await stack.start();
    return stack;
  }

  /** With a bot on the local Bot API, told of updates by the webhook alone. */
  static async withBot(
    scene: Scene,
    env: Record<string, string> = {},
  ): Promise<{ stack: RunningStack; api: BotApi }> {
    const api = await BotApi.start();
    scene.onRowEnd(() => api.close());
    const stack = await RunningStack.start(scene, {
      env: {
        TELEGRAM_BOT_TOKEN: api.token,
        TELEGRAM_API_ROOT: api.root,
        TELEGRAM_CHAT_ID: channel,
        TELEGRAM_MODE: "webhook",
        ...env,
      },
    });
    api.updates.webhook = {
      url: `${stack.url}/telegram-webhook`,
      secret_token: stack.env.TELEGRAM_WEBHOOK_SECRET,
      allowed_updates: undefined,
    };
    return { stack, api };
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/functions/v1`;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error("this stack does not run");
    return pid;
  }

  async start(): Promise<void> {
    const deno = findDeno();
    const env = { ...surroundings, ...this.env, PORT: String(this.port), DATA_DIR: this.dataDir };
    const plan = launchPlan("start", [], env, this.dataDir);
    if (deno === null || plan === null) throw new Error("the stack cannot be started");
    const child = spawn(deno, plan, {
      env: { ...env, DENO_NO_UPDATE_CHECK: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.out += text);
    }
    for (let tries = 0; tries < 300 && child.exitCode === null; tries++) {
      const ready = await this.get("/dags-domain-health").then(() => true, () => false);
      if (ready) return;
      await sleep(50);
    }
    throw new Error(`the stack did not answer:\n${this.out.slice(-2000)}`);
  }

  /** Returns how it ended. */
  async end(signal: NodeJS.Signals): Promise<string> {
    const child = this.#child;
    this.#child = null;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) {
      return "was not running";
    }
    const ended = new Promise<string>((resolve) =>
      child.once("exit", (code, by) => resolve(by ?? `exit ${code}`))
    );
    process.kill(child.pid, signal);
    return await ended;
  }

  /** What the process holds of memory, in megabytes. */
  async resident(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    const answer = await fetch(`${this.url}${path}`, { headers });
    await answer.arrayBuffer();
    return answer;
  }

  post(
    path: string,
    body: BodyInit,
    headers: Record<string, string> = {},
    ms = 60_000,
  ): Promise<Response> {
    return fetch(`${this.url}${path}`, {
      method: "POST",
      headers,
      body,
      signal: AbortSignal.timeout(ms),
    });
  }

  alert(body: string, token = "desk-token-0123456789"): Promise<Response> {
    return this.post(`/intake/tradingview/${token}`, body);
  }

  task(request: Record<string, unknown>): Promise<Response> {
    return this.post("/intake/tasks", JSON.stringify(request), this.bearer);
  }

  get bearer(): Record<string, string> {
    return { authorization: `Bearer ${this.env.SERVICE_TOKEN}` };
  }

  update(body: unknown, secret = this.env.TELEGRAM_WEBHOOK_SECRET): Promise<Response> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return this.post("/telegram-webhook", text, { "x-telegram-bot-api-secret-token": secret });
  }
}

export const alertBody = (more: Record<string, unknown> = {}): string =>
  JSON.stringify({ ticker: "BTCUSDT", action: "buy", price: 67000, sl: 66000, tp: 72000, ...more });

/** A request by another system; what it asks for needs nobody's approval. */
export const reading = (id: string, more: Record<string, unknown> = {}) => ({
  source: "desk",
  source_event_id: id,
  actor: "desk",
  goal: `Read ${id}`,
  action: "READ",
  payload: { text: "The level held.", summary: `Note ${id}` },
  ...more,
});

/** Runs `of` pieces of work, `width` at once, in order of their number. */
export async function inParallel<T>(
  of: number,
  width: number,
  work: (i: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < of; i = next++) results[i] = await work(i);
  };
  await Promise.all(Array.from({ length: Math.min(width, of) }, lane));
  return results;
}
