// Stops while many executors start effects, and looks for any that started afterwards. Exit code 1 if there is one.
//   node scripts/test-stop.mjs [--executors 50] [--trials 3] [--without-lock] [--json]
// On the server of TEST_DATABASE_URL or DATABASE_URL, in a database of its own; without one in this process, where
// executors take turns. --without-lock plants the fault that the lock prevents: on a server this must then be red.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { prepareApprovedTasks } from "./stop/approved-tasks.mjs";
import { Executor } from "./stop/executor.mjs";
import { openScratch } from "./stop/scratch.mjs";

const { values: options } = parseArgs({
  options: {
    executors: { type: "string", default: "50" },
    trials: { type: "string", default: "3" },
    "without-lock": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const count = (name, most) => {
  const value = Number(options[name]);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  console.error(`--${name} is a number from 1 to ${most}.`);
  process.exit(2);
};
const executorCount = count("executors", 500);
const trials = count("trials", 1000);
const say = (text) => options.json ? process.stderr.write(`${text}\n`) : console.log(text);
const url = (process.env.TEST_DATABASE_URL || process.env.DATABASE_URL || "").trim();

/** The lock does nothing, and after each look at the stop lies a pause: what would happen if the row were merely read. */
const withoutLock = [
  "create or replace function private.share_stop_lock() returns void language sql set search_path = '' as ''",
  "alter function private.stop_problem(public.tasks) rename to planted_stop_problem",
  `create function private.stop_problem(p_task public.tasks) returns text language plpgsql set search_path = '' as
   'declare v_problem text := private.planted_stop_problem(p_task); begin perform pg_sleep(0.02); return v_problem; end'`,
  "alter function private.use_break_glass(text) rename to planted_use_break_glass",
  `create function private.use_break_glass(p_task_id text) returns void language plpgsql set search_path = '' as
   'begin perform private.planted_use_break_glass(p_task_id); perform pg_sleep(0.02); end'`,
];

const reset = [
  `insert into public.emergency_stops (scope, state, changed_by, reason)
   values ('all', 'running', 'test:stop', 'next trial'), ('t3', 'running', 'test:stop', 'next trial')
   on conflict (scope) do update set state = 'running'`,
  "update public.task_steps set run_at = private.now() where status = 'ready'",
];

/** Runs all executors while `act` lasts. */
async function during(executors, act) {
  let over = false;
  const working = executors.map((executor) => executor.run(() => over));
  try {
    return await act();
  } finally {
    over = true;
    await Promise.all(working);
  }
}

const total = (executors, what) => executors.reduce((sum, executor) => sum + what(executor), 0);
const refusals = (executor) => executor.refused.stopped ?? 0;

/** Nothing may start while the row is gone: unreadable is stopped. */
async function rowGone(scratch, executors) {
  await scratch.owner("delete from public.emergency_stops where scope = 'all'");
  await during(executors, () => sleep(400));
  return {
    started: total(executors, ({ started }) => started),
    refused: total(executors, refusals),
  };
}

async function trial(scratch, executors) {
  for (const text of reset) await scratch.owner(text);
  const since = (await scratch.owner("select private.now()::text as at"))[0].at;
  const before = total(executors, refusals);
  const stop_ms = await during(executors, async () => {
    await sleep(1200);
    const asked = performance.now();
    await scratch.call(
      "stop",
      { p_scope: "all", p_reason: "a trial", p_actor: "test:stop" },
      "administrator",
    );
    const committed = performance.now() - asked;
    await sleep(600);
    return committed;
  });
  // The stop is stamped after it got the lock and before it commits: later than this nothing may have begun.
  const [found] = await scratch.owner(
    `select count(*) filter (where e.type = 'EFFECT_SENT' and e.ts <= s.changed_at)::int as started_before,
       count(*) filter (where e.ts > s.changed_at)::int as started_after,
       (max(extract(epoch from e.ts - s.changed_at) * 1000) filter (where e.ts > s.changed_at))::float8 as latest_ms,
       (max(e.ts) filter (where e.ts > s.changed_at))::text as latest
     from public.emergency_stops s left join public.events e on e.type in ('EFFECT_RESERVED', 'EFFECT_SENT') and e.ts >= $1::text::timestamptz
     where s.scope = 'all' group by s.changed_at`,
    [since],
  );
  return {
    ...found,
    refused_after: total(executors, refusals) - before,
    stop_ms: Number(stop_ms.toFixed(1)),
  };
}

const scratch = await openScratch(url, executorCount);
const result = { where: scratch.kind, executors: executorCount, planted: options["without-lock"] };
try {
  say(`stop against ${executorCount} executors on ${scratch.kind}`);
  const policySha256 = await prepareApprovedTasks(scratch, executorCount * 2);
  if (options["without-lock"]) {
    for (const text of withoutLock) await scratch.owner(text);
    say(
      scratch.sessions > 1
        ? "planted: the lock is taken out, this must be red"
        : "planted: the lock is taken out; with one session nothing runs beside a stop, so nothing can show",
    );
  }
  const executors = Array.from(
    { length: executorCount },
    (_, i) => new Executor(scratch, policySha256, `executor-${i}`),
  );
  result.row_gone = await rowGone(scratch, executors);
  say(
    `row gone      started ${result.row_gone.started} (must be 0)   refused ${result.row_gone.refused}`,
  );
  result.trials = [];
  for (let i = 1; i <= trials; i++) {
    const found = await trial(scratch, executors);
    result.trials.push(found);
    say(
      `trial ${
        String(i).padEnd(7)
      } started before ${found.started_before}   refused after ${found.refused_after}   ` +
        `stop call to commit ${found.stop_ms} ms   latest start after the stop ` +
        (found.started_after === 0
          ? "none"
          : `${found.latest} (${
            found.latest_ms.toFixed(1)
          } ms later; ${found.started_after} in all)`),
    );
  }
} finally {
  await scratch.close();
}

const problems = [
  result.row_gone.started > 0 && "effects started while the row was gone",
  result.row_gone.refused === 0 && "nobody tried to start an effect while the row was gone",
  result.trials.some(({ started_after }) => started_after > 0) && "effects started after a stop",
  result.trials.some(({ started_before }) => started_before === 0) &&
  "no effect started before a stop, so nothing is shown",
  result.trials.some(({ refused_after }) => refused_after === 0) &&
  "nobody tried to start an effect after a stop",
].filter(Boolean);
result.problems = problems;
result.slowest_stop_ms = Math.max(...result.trials.map(({ stop_ms }) => stop_ms));
say(
  problems.length === 0
    ? `green: no effect started after a stop; the slowest stop took ${result.slowest_stop_ms} ms`
    : `RED: ${problems.join("; ")}`,
);
if (options.json) console.log(JSON.stringify(result));
process.exit(problems.length === 0 ? 0 : 1);
