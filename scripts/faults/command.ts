import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { root } from "../launch.mjs";
import { History } from "./history.ts";
import { loadInvariants, pendingInvariants } from "./invariants.ts";
import { provePlanted } from "./planted.ts";
import { rows } from "./registry.ts";
import { isPending } from "./row.ts";
import { isRed, type Result, runRows } from "./run-rows.ts";
import { Scene } from "./scene.ts";
import { head, line, total } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    seed: { type: "string" },
    n: { type: "string", default: "1" },
    out: { type: "string" },
    list: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    planted: { type: "boolean", default: false },
  },
});

function refuse(sentence: string): never {
  console.error(sentence);
  process.exit(2);
}

function numberOf(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!(value > 0) || value > most) refuse(`--${name} is a number above 0 and up to ${most}.`);
  return value;
}

const wanted = options.only?.split(",").map(Number);
const chosen = rows.filter(({ id }) => wanted === undefined || wanted.includes(id));
const unknown = wanted?.filter((id) => !rows.some((row) => row.id === id)) ?? [];
if (unknown.length > 0) refuse(`There is no row ${unknown.join(", ")}: --list shows them.`);

const say = (text: string) => options.json ? console.error(text) : console.log(text);

if (options.list) {
  for (const row of chosen) {
    const state = isPending(row) ? `pending, waits for ${row.waits}` : "runs";
    console.log(`${String(row.id).padStart(3)}  ${row.fault}\n     ${row.promise}\n     ${state}`);
  }
  process.exit(0);
}
if (options.planted) {
  const caught = await provePlanted(say);
  if (options.json) console.log(JSON.stringify(caught));
  process.exit(caught.every((plant) => plant.caught) ? 0 : 1);
}

const seed = options.seed === undefined
  ? Math.floor(Math.random() * 1e6) + 1
  : Math.floor(numberOf("seed", options.seed, 1e9));
const stamp = new Date().toISOString().replace(/[:.]/g, "-");
const path = options.out ?? join(root, ".local/faults", `${stamp}-seed-${seed}.ndjson`);
const scene = new Scene({
  seed,
  scale: numberOf("n", options.n, 1000),
  history: new History(path),
  log: (text) => console.error(text),
});
let ending = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (ending) return;
    ending = true;
    console.error(`${signal}: putting everything away`);
    scene.close().finally(() => process.exit(130));
  });
}

say(`seed ${seed}, history in ${path}\n${head}`);
let results: Result[] = [];
try {
  results = await runRows(scene, chosen, await loadInvariants(), (result) => say(line(result)));
} finally {
  if (!ending) await scene.close();
}
for (const [id, why] of Object.entries(pendingInvariants)) say(`${id} is pending: ${why}`);
say(total(results));
if (options.json) console.log(JSON.stringify({ seed, history: path, results }));
if (!ending) process.exit(results.some(isRed) ? 1 : 0);
