import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../server/databases.mjs";
import { chainOf, openCommands, plannedTasks, resultOf } from "./ags-commands.mjs";

const chain = 5;

/**
 * Works off every read step there is: each completion is fenced, writes its event and audit rows and readies the next
 * step of its chain. The critic of a task becomes ready in the measured time too, and is left alone.
 */
async function drain(commands, { workers, batch, total }) {
  let done = 0;
  let roundTrips = 0;
  const work = async (_, n) => {
    let results = [];
    while (done < total) {
      roundTrips += commands.combined || results.length === 0 ? 1 : 2;
      const mine = await commands.next(results, `bench-${n}`, batch, ["exec"]);
      done += results.length;
      results = mine.map((step) => resultOf(step));
      // The last steps are with the others.
      if (mine.length === 0) await sleep(1);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: workers }, work));
  return { done, round_trips: roundTrips, seconds: (performance.now() - started) / 1000 };
}

export async function steps({ url, policySha256, workers, batch, jobs, settle }) {
  const commands = await openCommands(url, policySha256, workers);
  try {
    const round = async (tasks) => {
      await plannedTasks(commands, tasks, chainOf(chain), workers);
      await settle();
      return await drain(commands, { workers, batch, total: tasks * chain });
    };
    await round(Math.ceil(jobs / chain / 10));
    const { done, seconds } = await round(Math.ceil(jobs / chain));
    return { jobs: done, seconds, per_s: done / seconds, combined: commands.combined };
  } finally {
    await commands.close();
  }
}

/** What a step costs in statements and commits, counted by the server over a drain of its own. */
export async function countedSteps({ url, policySha256, workers, batch, jobs, settle }) {
  const watcher = connect(url);
  try {
    const [{ loaded }] = await watcher.unsafe(
      "select current_setting('shared_preload_libraries') ~ 'pg_stat_statements' as loaded",
    );
    if (loaded) {
      await watcher.unsafe("create extension if not exists pg_stat_statements");
      const [{ name }] = await watcher.unsafe("select current_database() as name");
      await watcher.unsafe(`alter database ${name} set pg_stat_statements.track = 'all'`);
    }
    const commands = await openCommands(url, policySha256, workers);
    try {
      const tasks = Math.ceil(jobs / chain);
      await plannedTasks(commands, tasks, chainOf(chain), workers);
      await settle();
      const commits = async () => {
        await commands.flush();
        const [row] = await watcher.unsafe(
          "select pg_stat_clear_snapshot(), xact_commit::float8 as commits from pg_stat_database where datname = current_database()",
        );
        return row.commits;
      };
      const before = await commits();
      if (loaded) await watcher.unsafe("select pg_stat_statements_reset()");
      const { done, round_trips } = await drain(commands, { workers, batch, total: tasks * chain });
      const [statements] = loaded
        ? await watcher.unsafe(
          `select coalesce(sum(calls) filter (where toplevel), 0)::float8 as top, coalesce(sum(calls) filter (where not toplevel), 0)::float8 as nested,
             coalesce(sum(wal_bytes) filter (where toplevel), 0)::float8 as wal_bytes
           from pg_stat_statements s join pg_database d on d.oid = s.dbid and d.datname = current_database()
           join pg_roles r on r.oid = s.userid`,
        )
        : [null];
      const after = await commits();
      // Handing the counters over was a commit of each connection.
      return { steps: done, round_trips, commits: after - before - workers, statements };
    } finally {
      await commands.close();
    }
  } finally {
    await watcher.end();
  }
}
