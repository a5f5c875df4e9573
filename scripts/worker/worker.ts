import { postgresDatabase } from "../../functions/_database/postgres-database.ts";
import type { Database } from "../../functions/_database/database.ts";
import { hinter } from "../../functions/_database/hinter.ts";
import { steadyDatabase } from "../../functions/_database/steady-database.ts";
import { mask } from "../../functions/_domain/mask.ts";
import type { Environment } from "../../functions/_edge/environment.ts";
import { tick as communicate } from "../../functions/communicator/handler.ts";
import { loadBundledPolicy } from "../../functions/_policy/bundled-policy.ts";
import { reportBundles } from "../stack/bundles.ts";
import { relayWorker } from "../stack/relay.ts";
import { ticker } from "../stack/ticker.ts";
import { wireWorks } from "../stack/wiring.ts";
import { type Killer, withFailpoint } from "./failpoint.ts";
import { type Hints, listenForHints } from "./hints.ts";
import type { Journal } from "./journal.ts";
import type { WorkerOptions } from "./options.ts";
import { pace } from "./pace.ts";
import { problemOf, requireReady } from "./ready.ts";
import { stepPool } from "./step-pool.ts";

export interface Worker {
  /** Takes nothing new, ends or gives back what it has. */
  stop(): Promise<void>;
}

interface Look {
  steps: boolean;
  effects: boolean;
  notifications: boolean;
  jobs: boolean;
  lapsed: boolean;
  positions: boolean;
  wait_ms: number | null;
}

/** How long what runs may take after the first signal; with what follows, the whole end stays below ten seconds. */
const drainMs = 7_500;
/** One pass of the communicator: a drain waits for it. */
const deskMs = 1_000;
/** Between two looks of an idle worker that hears hints, and of one that does not. */
const idleMs = { heard: 5_000, deaf: 2_500 };

/** A process that works off tasks of one Postgres, beside any number of others. */
export async function startWorker(
  environment: Environment & { databaseUrl: string },
  { concurrency, name }: WorkerOptions,
  journal: Journal,
  killer: Killer | null,
): Promise<Worker> {
  const steady = steadyDatabase(
    postgresDatabase(environment.databaseUrl, { max: Math.min(concurrency, 20) + 3 }),
  );
  const database = killer === null ? steady : withFailpoint(steady, killer);
  const policy = await loadBundledPolicy();
  await requireReady(database);
  const works = wireWorks({
    environment,
    database,
    policy,
    worker: name,
    log: (line) => journal("note", { line }),
    print: (text) => journal("message", { text: mask(text) }),
  });
  const tell = (error: unknown, where: Record<string, unknown> = {}) =>
    journal("problem", { ...where, error: problemOf(error) });
  const report = reportBundles(works, ["orchestrator", "communicator"]);
  const hint = hinter(database, tell);

  const pool = stepPool({
    works,
    concurrency,
    onFree: () => lanes.call("steps"),
    onMore: hint,
    tell: (error, { step_id, task_id }) => tell(error, { step_id, task_id }),
  });
  let progress = false;
  const counting = (pass: () => Promise<number>) => async () => {
    const done = await pass();
    progress ||= done > 0;
    return done;
  };
  const relay = works.redis === null ? [] : [relayWorker(works, works.redis)];
  const lanes = ticker([
    { name: "steps", pass: counting(pool.pass), wakes: [] },
    {
      name: "desk",
      pass: counting(async () => {
        const chat_id = environment.telegram.chatId;
        const done = await communicate({ ...works, chat_id, budget_ms: deskMs });
        return done.notifications + done.effects;
      }),
      wakes: ["steps"],
    },
    ...relay,
  ], (lane, error) => tell(error, { lane }));

  const hints = await hearHints(environment.databaseUrl, database, () => {
    clock.quicken();
    lanes.call("steps");
    schedule(clock.next(null));
  }, tell);
  const clock = pace({ latestMs: hints?.heard ? idleMs.heard : idleMs.deaf });

  let timer: ReturnType<typeof setTimeout> | undefined;
  let looking: Promise<void> = Promise.resolve();
  let stopped = false;
  let away = false;

  function schedule(ms: number): void {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => looking = look(), ms);
  }

  async function look(): Promise<void> {
    let due: number | null = null;
    try {
      await report();
      const seen = await database.call<Look>("look_for_work");
      const swept = seen.jobs ? await database.call<Record<string, number>>("sweep") : {};
      if (seen.lapsed) await database.call("reap");
      if (seen.positions) await works.watch();
      // A job that touched nothing made nothing ready.
      const moved = seen.lapsed || Object.values(swept).some((count) => count > 0);
      if (seen.steps || moved) lanes.call("steps");
      if (seen.effects || seen.notifications || moved) lanes.call("desk");
      // What this process does not tell another does: the lease of the relay is with one of them.
      for (const { name } of relay) lanes.call(name);
      due = seen.wait_ms;
      if (away) await hints?.renew();
      away = false;
    } catch (error) {
      if (!away) tell(error, { lane: "look" });
      away = true;
    }
    if (progress || pool.running() > 0) clock.quicken();
    progress = false;
    schedule(clock.next(due));
  }

  const rest = await works.heartbeat.keep();
  journal("started", {
    concurrency,
    policy_sha256: works.policy_sha256,
    hints: hints?.heard ?? false,
    telegram: works.channels.telegram !== null,
  });
  schedule(0);

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      journal("draining", { running: pool.running() });
      killer?.hit("during_drain");
      const [drained] = await Promise.all([pool.drain(drainMs), within(drainMs, lanes.stop())]);
      await within(500, looking);
      rest();
      await hints?.close();
      await within(500, Promise.resolve(works.redis?.close()));
      await within(1_000, database.close());
      journal("stopped", drained);
    },
  };
}

async function hearHints(
  url: string,
  database: Database,
  onHint: () => void,
  tell: (error: unknown, where?: Record<string, unknown>) => void,
): Promise<Hints | null> {
  try {
    return await listenForHints(url, database, onHint);
  } catch (error) {
    tell(error, { lane: "hints" });
    return null;
  }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([work, new Promise((resolve) => timer = setTimeout(resolve, ms))]);
  clearTimeout(timer);
}
