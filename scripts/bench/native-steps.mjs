// Batched claim + complete on a native PostgreSQL, in a database of its own that is dropped afterwards.
import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import postgres from "postgres";
import { parse } from "yaml";

const root = new URL("../../", import.meta.url);
const read = (path) => readFile(new URL(path, root), "utf8");
const batch = 50;
const workers = 4;

async function migrated(url) {
  const name = `ags_bench_${process.pid}`;
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  await admin.unsafe(`create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const owner = postgres(own.href, { max: 1, onnotice: () => {} });
  await owner.unsafe(await read("scripts/stack/platform.sql"));
  for (const file of (await readdir(new URL("migrations/", root))).sort()) {
    await owner.unsafe(await read(`migrations/${file}`));
  }
  const policy = await read("policies/policy.yaml");
  await owner.unsafe("select api.activate_policy($1, $2::text::jsonb, 'bench')", [
    policy,
    JSON.stringify(parse(policy)),
  ]);
  return {
    url: own.href,
    owner,
    policySha256: createHash("sha256").update(policy).digest("hex"),
    drop: async () => {
      await owner.end();
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

/** Tasks whose plan is a chain of no-op steps: what is measured is the transitions, their events and audit rows. */
async function seed(sql, policySha256, tasks, chain) {
  for (let i = 0; i < tasks; i++) {
    const event = {
      source: "bench",
      source_name: "bench",
      body_sha256: createHash("sha256").update(String(i)).digest("hex"),
      body: "",
      actor: "bench",
      goal: "bench",
      action: "READ",
      payload: { i },
    };
    await sql`select api.accept_event(${sql.json(event)})`;
  }
  for (;;) {
    const [{ work }] = await sql`select api.claim_steps('seed', 100, array['planner']) as work`;
    if (work.length === 0) return;
    for (const step of work) {
      const nodes = [{ id: "plan", agent: "planner", action: "READ" }];
      for (let n = 0; n < chain; n++) {
        nodes.push({
          id: `read${n}`,
          agent: "exec",
          after: [n === 0 ? "plan" : `read${n - 1}`],
          action: "READ",
        });
      }
      nodes.push({ id: "critic", agent: "critic", after: [`read${chain - 1}`], action: "READ" });
      const tail = [{ id: "publish", agent: "exec", after: ["critic"] }, {
        id: "archive",
        agent: "orchestrator",
        after: ["publish"],
        action: "READ",
      }];
      const plan = {
        flow: "answer",
        nodes: [...nodes, ...tail].map((node) => ({ action: "READ", ...node })),
      };
      const [{ answer }] =
        await sql`select api.record_plan(${step.step_id}, ${step.attempt}, ${step.lease_token}, ${
          sql.json(plan)
        }, ${policySha256}) as answer`;
      if (answer.refused) throw new Error(`the plan was refused: ${answer.refused}`);
    }
  }
}

export async function measureSteps(url, say, { tasks = 400, chain = 5 } = {}) {
  const database = await migrated(url);
  try {
    const sql = postgres(database.url, {
      max: workers,
      connection: { role: "service_role" },
      onnotice: () => {},
    });
    say(`  seeding ${tasks} tasks of ${chain} steps`);
    await seed(sql, database.policySha256, tasks, chain);
    const started = performance.now();
    let steps = 0;
    const work = async (name) => {
      for (let idle = 0; idle < 20;) {
        const [{ claimed }] =
          await sql`select api.claim_steps(${name}, ${batch}, array['exec']) as claimed`;
        const mine = claimed.filter(({ node_id }) => node_id.startsWith("read"));
        if (mine.length === 0) {
          idle++;
          if (steps >= tasks * chain) return;
          await new Promise((resolve) => setTimeout(resolve, 5));
          continue;
        }
        idle = 0;
        const results = mine.map(({ step_id, attempt, lease_token }) => ({
          step_id,
          attempt,
          lease_token,
          result: {},
        }));
        await sql`select api.complete_steps(${sql.json(results)}, ${database.policySha256})`;
        steps += mine.length;
      }
    };
    await Promise.all(
      Array.from({ length: workers }, (_, n) => work(`bench-${n}-${randomUUID().slice(0, 8)}`)),
    );
    const seconds = (performance.now() - started) / 1000;
    await sql.end();
    const [{ server_version: version }] = await database.owner`show server_version`;
    const [{ fsync }] = await database.owner`show fsync`;
    return {
      steps,
      seconds: Number(seconds.toFixed(2)),
      steps_per_s: Math.round(steps / seconds),
      batch,
      workers,
      fsync,
      postgres: version,
    };
  } finally {
    await database.drop();
  }
}
