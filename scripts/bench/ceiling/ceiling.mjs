// What this server and this machine can do with the bare statements of a step.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connect, settle } from "../server/databases.mjs";
import { findClient } from "../server/programs.mjs";
import { ceiling as loop } from "./loop.mjs";

const run = promisify(execFile);

export function rateOf(output, batch) {
  const tps = /^tps = ([\d.]+)/m.exec(output)?.[1];
  if (tps === undefined) throw new Error(`pgbench said no rate: ${output}`);
  return Number(tps) * batch;
}

async function pgbench(program, { url, script, clients, batch, seconds }) {
  const { hostname, port, username, password, pathname } = new URL(url);
  const { stdout } = await run(program, [
    "-n",
    "-M",
    "prepared",
    "-c",
    String(clients),
    "-j",
    String(Math.min(clients, 2)),
    "-T",
    String(seconds),
    "-D",
    `k=${batch}`,
    "-f",
    fileURLToPath(new URL(script, import.meta.url)),
    "-h",
    hostname,
    "-p",
    port || "5432",
    "-U",
    decodeURIComponent(username),
    pathname.slice(1),
  ], { env: { ...process.env, PGPASSWORD: decodeURIComponent(password) } });
  return { per_s: rateOf(stdout, batch) };
}

/** `script`: step.sql inserts, claims and completes; claim-complete.sql leaves the insert out and finds rows waiting. */
export async function measureCeiling(options) {
  const sql = connect(options.url);
  try {
    await sql.unsafe(await readFile(new URL("table.sql", import.meta.url), "utf8"));
    await sql.unsafe(
      "insert into step (payload) select '{}' from generate_series(1, $1::text::integer)",
      [
        String(options.waiting),
      ],
    );
  } finally {
    await sql.end();
  }
  await settle(options.url);
  const program = findClient("pgbench");
  const { per_s } = await (program ? pgbench(program, options) : loop(options));
  return { per_s, by: program ? "pgbench" : "a loop of postgres.js" };
}
