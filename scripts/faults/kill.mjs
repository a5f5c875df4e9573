// Kills workers at named points and looks at what is left of their work.
//   node scripts/faults/kill.mjs [--receiver telegram|bridge] [--points all] [--n 100] [--seed 1] [--json]
// On the server of TEST_DATABASE_URL or DATABASE_URL, in a database of its own; kills only what it started, by pid.
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { dice } from "./dice.mjs";
import { openField, receivers } from "./kill-field.mjs";
import { judge, openTasks, problemsOf } from "./kill-judge.mjs";
import { startWorkerProcess } from "./worker-process.mjs";

/** Where an effect is under way come first: their leases take the longest to lapse. */
export const points = [
  "mid_effect",
  "after_effect_before_commit",
  "after_reserve",
  "after_commit_before_answer",
  "before_complete",
  "after_claim",
  "during_drain",
  "before_claim",
];
const ofEffects = new Set(["mid_effect", "after_effect_before_commit", "after_reserve"]);

const slots = 4;
const reachMs = 20_000;
/** A point that was not reached in time, since another worker took what led there, is tried for anew. */
const mostTries = 4;
const settleMs = 120_000;

/** One kill: a worker of its own dies at the point, and its exit by the signal is the evidence. */
async function killOne(field, point, at) {
  const env = { ...field.env, FAILPOINTS: "on", FAILPOINT: `${point}:${at}` };
  const worker = startWorkerProcess(env, "--concurrency", "2");
  field.wanted.set(worker, point);
  if (point === "during_drain" && await worker.said("started", reachMs) !== null) {
    await sleep(150);
    worker.signal("SIGTERM");
  }
  const reached = await worker.said("failpoint", reachMs);
  worker.signal("SIGKILL");
  const killed_at = Date.now();
  const { signal } = await worker.ended;
  field.wanted.delete(worker);
  return {
    point,
    at,
    worker: worker.lines[0]?.worker ?? null,
    pid: worker.pid,
    killed_at,
    signal,
    seen: reached?.pid === worker.pid && signal === "SIGKILL",
  };
}

async function killAtLast(field, point, at) {
  // Whoever did not reach its point is dead all the same, with what it had in hand.
  const earlier = [];
  for (;;) {
    const kill = await killOne(field, point, at);
    if (kill.seen || earlier.length === mostTries - 1) return { ...kill, earlier };
    earlier.push(kill.worker);
  }
}

/** Keeps a little to do in front of the workers that wait for their point. */
async function feed(field, isOver) {
  for (let i = 0; !isOver(); i++) {
    const waiting = [...field.wanted.values()];
    await field.refill();
    await field.approve(waiting.filter((point) => ofEffects.has(point)).length);
    if (waiting.length > 0) await field.accept(i);
    await field.scratch.call("hint_work", {});
    await sleep(200);
  }
}

/** Kills `n` workers over these points, several at a time, lets a sound worker end the rest, and judges. */
export async function runKills(
  { url, receiver = "telegram", points: chosen, n, seed, say = () => {} },
) {
  const { below } = dice(seed);
  const plan = Array.from({ length: n }, (_, i) => ({
    point: chosen[i % chosen.length],
    // A worker drains once.
    at: chosen[i % chosen.length] === "during_drain" ? 1 : 1 + below(2),
  })).sort((a, b) => points.indexOf(a.point) - points.indexOf(b.point));
  const effects = plan.filter(({ point }) => ofEffects.has(point)).length;
  const field = await openField(url, receiver, effects * 6 + 10);
  const kills = [];
  let over = false;
  const began = Date.now();
  // Somebody must be there to take up what the dead ones held, and not be kept from it by what the next are fed with.
  const sound = [1, 2].map(() => startWorkerProcess(field.env, "--concurrency", `${field.hands}`));
  try {
    const feeding = feed(field, () => over);
    const next = plan[Symbol.iterator]();
    await Promise.all(Array.from({ length: Math.min(slots, n) }, async () => {
      for (const { point, at } of next) {
        const kill = await killAtLast(field, point, at);
        kills.push(kill);
        say(
          `kill ${
            String(kills.length).padStart(4)
          } of ${n}  ${kill.point}:${kill.at}  pid ${kill.pid}  ` +
            (kill.seen ? kill.signal : "NOT SEEN"),
        );
      }
    }));
    over = true;
    await feeding;
    const until = Date.now() + settleMs;
    while (await openTasks(field) > 0 && Date.now() < until) {
      await field.refill();
      await sleep(250);
    }
    const found = await judge(field, kills);
    return { kills, found, problems: problemsOf(kills, found), ms: Date.now() - began };
  } finally {
    over = true;
    for (const worker of sound) worker.signal("SIGTERM");
    await Promise.all(sound.map(({ ended }) => ended));
    await field.close();
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      receiver: { type: "string", default: "telegram" },
      points: { type: "string", default: "all" },
      n: { type: "string", default: "100" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
    },
  });
  const chosen = values.points === "all" ? points : values.points.split(",");
  const [n, seed] = [Number(values.n), Number(values.seed)];
  const url = (process.env.TEST_DATABASE_URL || process.env.DATABASE_URL || "").trim();
  const unknown = chosen.filter((point) => !points.includes(point));
  const { receiver } = values;
  if (
    !(receiver in receivers) || unknown.length > 0 || !Number.isInteger(n) || n < 1 || n > 10_000 ||
    url === ""
  ) {
    console.error(
      `--receiver is ${Object.keys(receivers).join(" or ")}; --points are all, or some of ${
        points.join(", ")
      }; --n is from 1 to 10000; DATABASE_URL names a server.`,
    );
    process.exit(2);
  }
  // Ending by way of exit takes the workers along.
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  const say = (text) => values.json ? process.stderr.write(`${text}\n`) : console.log(text);
  const { kills, found, problems, ms } = await runKills({
    url,
    receiver,
    points: chosen,
    n,
    seed,
    say,
  });
  say(
    `${kills.length} kills in ${
      Math.round(ms / 1000)
    } s, ${found.tasks} tasks: ${found.archived} archived, ` +
      `${found.unknown} unknown, ${found.exhausted.length} out of attempts, ${found.lost.length} lost; ` +
      `${found.duplicated.length} effects twice, ${found.repeated.length} calls repeated; ${found.reruns} leases repeated, ` +
      `p50 ${found.rerun_ms.p50} ms, p99 ${found.rerun_ms.p99} ms after the kill`,
  );
  say(problems.length === 0 ? "green" : `RED: ${problems.join("; ")}`);
  if (values.json) console.log(JSON.stringify({ kills, found, problems, ms }));
  process.exit(problems.length === 0 ? 0 : 1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
