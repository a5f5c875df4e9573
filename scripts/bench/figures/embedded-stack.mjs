// An embedded stack of the bench's own, on a scratch directory and a free port.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../server/own-server.mjs";

const launcher = fileURLToPath(new URL("../../launch.mjs", import.meta.url));

/** The auditor's own door, so that the bench needs no other. */
async function sql(env, text) {
  const child = spawn(process.execPath, [launcher, "ags", "sql", text, "--json"], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => out += chunk);
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`ags sql ended with ${code}`);
  return JSON.parse(out);
}

const secretsOf = (text) =>
  Object.fromEntries(
    text.split("\n").filter((line) => /^[A-Z_]+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );

export async function startStack(atEnd) {
  const dataDir = await mkdtemp(join(tmpdir(), "ags-bench-"));
  const port = await freePort();
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) =>
      !/^(TELEGRAM_|LLM_|DATABASE_URL|REDIS_URL|INTAKE_TOKENS|SERVICE_TOKEN)/.test(name)
    ),
  );
  const env = { ...environment, PORT: String(port), DATA_DIR: dataDir };
  const started = performance.now();
  const child = spawn(process.execPath, [launcher, "start"], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
    detached: true,
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGINT");
      await ended;
    }
    await rm(dataDir, { recursive: true, force: true });
  };
  atEnd(stop);
  const url = `http://127.0.0.1:${port}/functions/v1`;
  for (let tries = 0;; tries++) {
    const ready = await fetch(`${url}/dags-domain-health`).then(
      (answer) => answer.status < 600,
      () => false,
    );
    if (ready) break;
    if (tries > 300 || child.exitCode !== null) {
      await stop();
      throw new Error("the stack did not answer");
    }
    await sleep(100);
  }
  const secrets = secretsOf(await readFile(join(dataDir, "secrets.env"), "utf8"));
  return {
    url,
    secrets,
    stop,
    sql: (text) => sql(env, text),
    start_ms: Math.round(performance.now() - started),
  };
}
