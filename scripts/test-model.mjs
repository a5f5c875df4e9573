#!/usr/bin/env node
/**
 * Plays stories on Postgres beside the reference model: `npm run test:model -- --runs 10000 [--seed N] [--max-commands 30]
 * [--only RUN] [--guards] [--verbose]`, or, with `--telegram --seeds 1000`, hostile chats on the simulated Bot API. Exits 1 where the two part.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { findDeno, root } from "./launch.mjs";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    seed: { type: "string" },
    "max-commands": { type: "string", default: "30" },
    only: { type: "string" },
    guards: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    telegram: { type: "boolean", default: false },
    seeds: { type: "string", default: "1000" },
  },
});
const number = (name, value) => {
  if (/^[0-9]{1,9}$/.test(value)) return Number(value);
  console.error(`--${name} takes a whole number, not "${value}".`);
  process.exit(1);
};
const seed = values.seed === undefined
  ? Math.floor(Math.random() * 1e9)
  : number("seed", values.seed);

if (values.telegram) {
  const { run } = await import("./test-model/telegram.mjs");
  process.exit(await run({ seeds: number("seeds", values.seeds), seed }) === 0 ? 0 : 1);
}

const deno = findDeno();
if (deno === null) {
  console.error("The packages are not installed yet. Run this first: npm ci");
  process.exit(1);
}

/** One process plays every `of`-th story in a database of its own, and tells on its output, a line of JSON at a time. */
function shard(index, of, tell) {
  const order = {
    seed,
    index,
    of,
    runs: number("runs", values.runs),
    maxCommands: number("max-commands", values["max-commands"]),
    only: values.only === undefined ? null : number("only", values.only),
    guards: values.guards,
  };
  const child = spawn(deno, [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-remote",
    `--config=${join(root, "deno.json")}`,
    "--allow-read",
    `--allow-write=${join(root, "node_modules/.cache")}`,
    "--allow-env",
    join(root, "scripts/test-model/shard.ts"),
    JSON.stringify(order),
  ], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
  });
  createInterface({ input: child.stdout }).on("line", (line) => tell(JSON.parse(line)));
  return new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}

const started = performance.now();
const total = { runs: 0, commands: 0, effects: 0, attempts: 0 };
const seen = new Set();
let known = [];
const divergences = [];
let said = 0;
const tell = (news) => {
  for (const name of Object.keys(total)) total[name] += news[name] ?? 0;
  for (const one of news.seen ?? []) seen.add(one);
  if (news.known) known = news.known;
  if (news.guard) console.log(news.guard);
  if (news.divergence) {
    divergences.push(news.divergence);
    console.log(
      `run ${news.run} of seed ${seed} (--seed ${seed} --only ${news.run}), shrunk:\n${news.divergence}\n`,
    );
  }
  if (total.runs - said >= 500) {
    said = total.runs;
    console.error(
      `  ${total.runs} runs, ${total.commands} commands, ${divergences.length} divergences`,
    );
  }
};
console.log(`seed ${seed}`);
const processes = values.only === undefined ? Math.min(2, availableParallelism()) : 1;
const codes = await Promise.all(
  Array.from({ length: processes }, (_, index) => shard(index, processes, tell)),
);

const seconds = (performance.now() - started) / 1000;
const edges = [...seen].filter((one) => one.includes(" → "));
const untaken = known.filter((edge) => !seen.has(edge));
console.log(
  `runs ${total.runs}   commands ${total.commands}   effects ${total.effects}   direct writes refused ${total.attempts}` +
    `   refusal codes ${seen.size - edges.length}   edges ${edges.length} of ${known.length}`,
);
if (values.verbose) console.log(`edges that no story took: ${untaken.join(", ")}`);
console.log(`divergences ${divergences.length}   seed ${seed}   seconds ${seconds.toFixed(1)}`);
process.exit(divergences.length > 0 || codes.some((code) => code !== 0) ? 1 : 0);
