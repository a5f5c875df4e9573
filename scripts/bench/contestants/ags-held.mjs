import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../server/databases.mjs";
import { chainOf, openCommands } from "./ags-commands.mjs";
import { runWorker } from "./ags-line.mjs";

const reads = 20;
const stepsOfTask = reads + 4;

/** What is written on every step, where it is there: the queue of the claims, and the steps themselves. */
const sizeQuery = `
  select c.oid::regclass::text as name, pg_relation_size(c.oid)::float8 as heap_bytes, pg_total_relation_size(c.oid)::float8 as total_bytes,
    coalesce(s.n_dead_tup, 0)::float8 as dead_rows, coalesce(s.n_live_tup, 0)::float8 as live_rows
  from unnest(array['private.ready_steps', 'public.task_steps']) with ordinality as t(name, place)
  join pg_catalog.pg_class c on c.oid = to_regclass(t.name)
  left join pg_catalog.pg_stat_all_tables s on s.relid = c.oid
  order by t.place`;

/**
 * Tasks arrive at a fixed rate through the front door and are worked off from the plan to the archive, while another
 * session holds a REPEATABLE READ snapshot: nothing that dies from then on can be vacuumed away.
 */
export async function heldSnapshot(options) {
  const { url, policySha256, workers, batch, stepsPerSecond, settle } = options;
  const { plainSeconds, heldSeconds } = options;
  const commands = await openCommands(url, policySha256, workers);
  const sender = await openCommands(url, policySha256, 2);
  const holder = connect(url);
  const watcher = connect(url);
  const nodes = chainOf(reads);
  let stopped = false;
  let worked = 0;
  const working = Promise.all(Array.from({ length: workers }, (_, n) =>
    runWorker(commands, {
      name: `bench-${n}`,
      batch,
      nodes,
      stopped: () => stopped,
      worked: (count) => worked += count,
    })));

  /** Offers for so long; what was worked off meanwhile, and every ten seconds how much. */
  const offer = async (seconds) => {
    const started = performance.now();
    const before = worked;
    const tasksPerSecond = stepsPerSecond / stepsOfTask;
    const rates = [];
    let sent = 0;
    let late = 0;
    const sends = [];
    let mark = { at: started, worked };
    for (;;) {
      const now = performance.now();
      if (now - mark.at >= 10_000) {
        rates.push(Math.round((worked - mark.worked) / ((now - mark.at) / 1000)));
        mark = { at: now, worked };
      }
      if (now - started >= seconds * 1000) break;
      const due = Math.floor((now - started) / 1000 * tasksPerSecond);
      // A sender that cannot keep up offers less, and that is said.
      if (sends.length > 500) late++;
      else {
        for (; sent < due; sent++) {
          const one = sender.accept().then(() => sends.splice(sends.indexOf(one), 1));
          sends.push(one);
        }
      }
      await sleep(10);
    }
    const elapsed = (performance.now() - started) / 1000;
    return {
      seconds: elapsed,
      offered: Math.round(elapsed * stepsPerSecond),
      worked: worked - before,
      steps_per_s: (worked - before) / elapsed,
      rates_per_s: rates,
      late,
      left: Promise.all(sends),
    };
  };

  try {
    // A database that has just been made has no statistics, and its first plans are poor.
    await (await offer(5)).left;
    await settle();
    const plain = await offer(plainSeconds);
    await plain.left;
    await holder.unsafe("begin isolation level repeatable read");
    await holder.unsafe("select count(*) from public.tasks");
    const held = await offer(heldSeconds);
    // The snapshot must still be the old one, or nothing was held.
    const [{ held_for_s }] = await watcher.unsafe(
      "select extract(epoch from clock_timestamp() - xact_start)::float8 as held_for_s from pg_stat_activity where backend_xmin is not null and state = 'idle in transaction' and datname = current_database() order by xact_start limit 1",
    );
    stopped = true;
    await working;
    await held.left;
    const tables = await watcher.unsafe(sizeQuery);
    await holder.unsafe("commit");
    const told = ({ left: _, ...rest }) => rest;
    return { plain: told(plain), held: told(held), held_for_s, tables };
  } finally {
    stopped = true;
    for (const sql of [holder, watcher]) await sql.end({ timeout: 1 });
    await commands.close();
    await sender.close();
  }
}
