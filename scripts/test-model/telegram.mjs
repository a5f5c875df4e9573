// Plays the hostile Telegram: thousands of acts against the webhook and the outbox, each held against a model of who may
// decide what. A seed is a play; the same seed is the same play.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findDeno, root } from "../launch.mjs";

/** Plays a part of the seeds in a process and a database of its own. */
async function playPart(deno, seed, seeds) {
  const child = spawn(deno, [
    "run",
    "--allow-all",
    "--no-prompt",
    "--no-remote",
    `--config=${join(root, "deno.json")}`,
    join(root, "tests/simulator/command.ts"),
    `--seed=${seed}`,
    `--seeds=${seeds}`,
  ], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let result = null;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("{")) result = JSON.parse(line);
    else console.log(line);
  }
  const code = await ended;
  if (result === null) throw new Error(`the plays from seed ${seed} on ended with ${code}`);
  return result;
}

/** Returns how many plays diverged from the model. */
export async function run({ seeds = 1000, seed = 1 } = {}) {
  const deno = findDeno();
  if (deno === null) throw new Error("The packages are not installed yet. Run this first: npm ci");
  const parts = Math.min(availableParallelism(), 4, Math.ceil(seeds / 25));
  const size = Math.ceil(seeds / parts);
  console.log(`hostile Telegram: ${seeds} plays from seed ${seed} on, in ${parts} processes`);
  const began = performance.now();
  const results = await Promise.all(
    Array.from({ length: parts }, (_, part) => {
      const from = seed + part * size;
      return playPart(deno, from, Math.min(size, seed + seeds - from));
    }),
  );
  const sum = (field) => results.reduce((total, result) => total + result[field], 0);
  const tally = {};
  for (const [what, times] of results.flatMap((result) => Object.entries(result.tally))) {
    tally[what] = (tally[what] ?? 0) + times;
  }
  for (const what of Object.keys(tally).sort()) console.log(`  ${what}: ${tally[what]}`);
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(
    `hostile Telegram: ${sum("played")} plays, ${sum("acts")} acts, ` +
      `${sum("divergences")} divergences, ${seconds} s`,
  );
  return sum("divergences");
}
