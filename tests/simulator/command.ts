import { parseArgs } from "node:util";
import { run } from "./run.ts";

/** Plays for `scripts/test-model/telegram.mjs`: divergences as they are found, one line of JSON at the end. */
const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1000" },
  },
});
const { played, acts, tally, found } = await run({
  seed: Number(values.seed),
  seeds: Number(values.seeds),
  say: console.log,
});
console.log(JSON.stringify({ played, acts, tally, divergences: found.length }));
