import { setTimeout as sleep } from "node:timers/promises";
import { type FaultedDatabase, sessions } from "../faulted-database.ts";
import { Findings, type Row } from "../row.ts";
import { Traffic } from "../traffic.ts";
import { settle } from "./server.ts";

/** Five minutes become three seconds; the rest of the alert is as shipped. */
async function hastenAlert(db: FaultedDatabase): Promise<void> {
  const [{ view }] = await db.owner<{ view: string }>(
    "select pg_get_viewdef('public.kpi_alerts') as view",
  );
  await db.owner(
    `create or replace view public.kpi_alerts with (security_invoker = true) as ${
      view.replaceAll("300", "3")
    }`,
  );
}

async function ringing(db: FaultedDatabase): Promise<number> {
  await db.owner("select private.evaluate_alerts()");
  return await db.count("public.alerts where code = 'snapshot_held' and closed_at is null");
}

interface Snapshot {
  xmin: string;
  age: number;
}

function holdSnapshot(db: FaultedDatabase, ms: number): Promise<Snapshot> {
  const holder = sessions(db.url, 1);
  return holder.begin("isolation level repeatable read", async (tx) => {
    await tx.unsafe("select count(*) from public.tasks");
    await sleep(ms);
    return (await tx.unsafe(
      "select backend_xmin::text as xmin, age(backend_xmin)::int as age from pg_stat_activity where pid = pg_backend_pid()",
    ))[0] as unknown as Snapshot;
  }).finally(() => holder.end({ timeout: 1 })) as Promise<Snapshot>;
}

/**
 * A database whose snapshot is held beside one of the same server whose is not, both under the same load: a snapshot keeps
 * what is dead in its own database alone. The rate before the fault would be another moment of a machine with other work.
 */
const heldSnapshot: Row = {
  id: 41,
  fault: "a REPEATABLE READ transaction stays open under load",
  promise: "the rate holds (the bench holds it for ten minutes), and an alert rings",
  needs: ["postgres"],
  async run(scene) {
    const found = new Findings();
    const [db, beside] = [await scene.database(), await scene.database()];
    const load = { senders: 2, workers: 1, pauseMs: 40 };
    const held = new Traffic(scene, db, { ...load, label: "held" });
    const free = new Traffic(scene, beside, { ...load, label: "free" });
    const ratesFor = async (ms: number) => {
      const from = Date.now();
      await sleep(ms);
      const to = Date.now();
      return { held: held.rate(from, to), free: free.rate(from, to) };
    };
    await hastenAlert(db);
    await sleep(2500);
    const before = await ratesFor(5000);
    const rangBefore = await ringing(db);
    const ms = 20_000 * Math.max(1, scene.scale);
    const snapshot = holdSnapshot(db, ms);
    await sleep(2000);
    const during = await ratesFor(ms - 3000);
    const rang = await ringing(db);
    const { xmin, age } = await snapshot;
    const ringsOn = await ringing(db);
    await settle(held, found);
    await settle(free, found);
    found.must(
      rangBefore === 0 && rang === 1 && ringsOn === 0,
      `the alert before, during and after: ${rangBefore} ${rang} ${ringsOn}`,
    );
    const share = during.held / during.free;
    const told = `${during.held.toFixed(1)}/s with the snapshot, ${
      during.free.toFixed(1)
    }/s without, at the same time`;
    found.must(share >= 0.9, told);
    found.counted(
      age,
      `transactions behind which the held snapshot (xmin ${xmin}) kept everything`,
    );
    found.saw(
      `${told} (before it ${before.held.toFixed(1)} and ${
        before.free.toFixed(1)
      }); snapshot_held rang, and closed when it went`,
    );
    return found.outcome(`a snapshot held for ${ms / 1000} s`);
  },
};

export const heldSnapshots = [heldSnapshot];
