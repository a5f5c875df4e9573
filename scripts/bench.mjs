// Measures the running platform from outside, on loopback, and prints medians; with --json one object on the last line.
// Every figure is printed as found, also where it falls short of what is aimed at.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { measureSteps } from "./bench/native-steps.mjs";

const launcher = fileURLToPath(new URL("launch.mjs", import.meta.url));
const json = process.argv.includes("--json");
const say = (line) => json ? process.stderr.write(`${line}\n`) : console.log(line);

const percentile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0
    ? null
    : Number(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(1));
};

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An embedded stack of the bench's own on a scratch directory. */
async function startStack() {
  const dataDir = await mkdtemp(join(tmpdir(), "ags-bench-"));
  const port = await freePort();
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) =>
      !/^(TELEGRAM_|LLM_|DATABASE_URL|INTAKE_TOKENS|SERVICE_TOKEN)/.test(name)
    ),
  );
  const env = { ...environment, PORT: String(port), DATA_DIR: dataDir };
  const started = performance.now();
  const child = spawn(process.execPath, [launcher, "start"], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const url = `http://127.0.0.1:${port}/functions/v1`;
  for (let tries = 0;; tries++) {
    const ready = await fetch(`${url}/dags-domain-health`).then(
      (answer) => answer.status < 600,
      () => false,
    );
    if (ready) break;
    if (tries > 300 || child.exitCode !== null) throw new Error("the stack did not answer");
    await sleep(100);
  }
  const secrets = Object.fromEntries(
    (await readFile(join(dataDir, "secrets.env"), "utf8")).split("\n").filter((line) =>
      /^[A-Z_]+=/.test(line)
    )
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const stop = async () => {
    child.kill("SIGINT");
    if (child.exitCode === null) await new Promise((resolve) => child.once("exit", resolve));
    await rm(dataDir, { recursive: true, force: true });
  };
  return { url, env, secrets, stop, start_ms: Math.round(performance.now() - started) };
}

/** The auditor's own door, so that the bench needs no other. */
async function sql(stack, text) {
  const child = spawn(process.execPath, [launcher, "ags", "sql", text, "--json"], {
    env: stack.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => out += chunk);
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`ags sql ended with ${code}`);
  return JSON.parse(out);
}

async function measureReads(stack, count) {
  const sent = new Map();
  for (let i = 0; i < count; i++) {
    const at = Date.now();
    const answer = await fetch(`${stack.url}/intake/tasks`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${stack.secrets.SERVICE_TOKEN}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        source: "bench",
        source_event_id: `read-${i}`,
        actor: "bench",
        goal: `Read note ${i}`,
        action: "READ",
        payload: { text: `Note ${i}: the level of 67000 held twice.`, summary: `Note ${i}` },
      }),
    });
    sent.set((await answer.json()).task_id, at);
    await sleep(100); // one at a time: the figure is latency, not throughput
    if (i % 25 === 24) say(`  T0 tasks: ${i + 1}/${count}`);
  }
  const rows = await sql(
    stack,
    "select task_id, extract(epoch from archived_at) * 1000 as at from public.tasks where source = 'bench' and archived_at is not null",
  );
  const latencies = rows.map((row) => Number(row.at) - sent.get(row.task_id));
  return {
    archived: rows.length,
    of: count,
    p50_ms: percentile(latencies, 0.5),
    p95_ms: percentile(latencies, 0.95),
  };
}

async function measureIntake(stack, rate, seconds) {
  const token = stack.secrets.INTAKE_TOKENS.split(",")[0].split("=").at(-1);
  const latencies = [];
  const answers = [];
  const started = performance.now();
  for (let i = 0; i < rate * seconds; i++) {
    await sleep(Math.max(0, started + i * 1000 / rate - performance.now()));
    const at = performance.now();
    answers.push(
      fetch(`${stack.url}/intake/tradingview/${token}`, {
        method: "POST",
        body: JSON.stringify({
          ticker: "BTCUSDT",
          action: "buy",
          price: 67000 + i,
          sl: 66000,
          tp: 69500,
          time: `bar ${i}`,
        }),
      }).then(async (answer) => {
        await answer.text();
        latencies.push(performance.now() - at);
        return answer.status;
      }),
    );
    if (i % (rate * 2) === rate * 2 - 1) say(`  alerts at ${rate}/s: ${i + 1}/${rate * seconds}`);
  }
  const accepted = (await Promise.all(answers)).filter((status) => status === 202).length;
  return {
    rate_per_s: rate,
    accepted,
    of: rate * seconds,
    p50_ms: percentile(latencies, 0.5),
    p99_ms: percentile(latencies, 0.99),
  };
}

const stack = await startStack();
const result = { started_in_ms: stack.start_ms, node: process.version };
try {
  say(`started in ${stack.start_ms} ms`);
  result.t0_post_to_archived = await measureReads(stack, 100);
  result.intake = await measureIntake(stack, 50, 10);
} finally {
  await stack.stop();
}
result.native_steps = process.env.DATABASE_URL
  ? await measureSteps(process.env.DATABASE_URL, say)
  : { skipped: "DATABASE_URL is not set" };

const { t0_post_to_archived: t0, intake, native_steps: steps } = result;
say(
  `T0 POST → archived, embedded   p50 ${t0.p50_ms} ms (aim ≤ 60)   p95 ${t0.p95_ms} ms   ${t0.archived}/${t0.of} archived`,
);
say(
  `intake answer at ${intake.rate_per_s}/s, embedded  p99 ${intake.p99_ms} ms (aim ≤ 100)  p50 ${intake.p50_ms} ms   ${intake.accepted}/${intake.of} accepted`,
);
say(
  steps.skipped
    ? `claim + complete, native: skipped, ${steps.skipped}`
    : `claim + complete, native, batch ${steps.batch}  ${steps.steps_per_s} steps/s`,
);
if (json) console.log(JSON.stringify(result));
