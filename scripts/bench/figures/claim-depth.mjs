// The same claim on a queue of a thousand and on a deep one, with many steps in flight and many due later.
import { readFile } from "node:fs/promises";
import { latencies, percentile, ratio } from "../report/statistics.mjs";
import { connect, settle } from "../server/databases.mjs";

async function seeded(bench, ready, inFlight, later) {
  const database = await bench.databases.ours();
  const sql = connect(database.url, { connection: { session_replication_role: "replica" } });
  try {
    const text = await readFile(new URL("seed-depth.sql", import.meta.url), "utf8");
    await sql.unsafe(text, [String(ready), String(inFlight), String(later)]);
    // Where ready steps stand in a queue of their own, its trigger was off too.
    const [{ queued }] = await sql.unsafe(
      "select to_regclass('private.ready_steps') is not null as queued",
    );
    if (queued) {
      await sql.unsafe(
        `insert into private.ready_steps (agent_class, run_at, step_id)
         select s.agent_class, s.run_at, s.step_id from public.task_steps s where s.status = 'ready'`,
      );
    }
  } finally {
    await sql.end();
  }
  await settle(database.url);
  return database;
}

export async function measureClaimDepth(bench) {
  const { depth, quick } = bench.options;
  const aside = Math.round(depth / 10);
  bench.step("a queue of 1000");
  const shallow = await seeded(bench, 1_000, 0, 0);
  bench.step(`a queue of ${depth}, ${aside} in flight, ${aside} later`);
  const deep = await seeded(bench, depth, aside, aside);
  try {
    const measure = async (limit, agents) => {
      bench.step(`claims of ${limit}, ${agents === null ? "any class" : "one class"}`);
      const both = await bench.ags().run("claims", {
        url: deep.url,
        shallow: shallow.url,
        deep: deep.url,
        policySha256: deep.policySha256,
        samples: quick ? 300 : 1_000,
        limit,
        agents,
      });
      return {
        at_1000: latencies(both.shallow),
        deep: latencies(both.deep),
        p99_ratio: ratio(percentile(both.deep, 0.99), percentile(both.shallow, 0.99)),
        p50_ratio: ratio(percentile(both.deep, 0.5), percentile(both.shallow, 0.5)),
      };
    };
    const any = await measure(10, null);
    const one = await measure(10, ["exec"]);
    return {
      ready: depth,
      in_flight: aside,
      later: aside,
      claim_of_any_class: any,
      claim_of_one_class: one,
      ratios: { claim_depth: any.p99_ratio },
    };
  } finally {
    await shallow.drop();
    await deep.drop();
  }
}
