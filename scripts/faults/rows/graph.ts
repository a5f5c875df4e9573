import { setTimeout as sleep } from "node:timers/promises";
import type { StepWork } from "../../../functions/_domain/task.ts";
import { migrate } from "../../stack/migrate.ts";
import { postgresMigrator } from "../../stack/migrators.ts";
import { migrations } from "../../../tests/support/database.ts";
import { household } from "../../../tests/support/household.ts";
import * as line from "../../../tests/support/line.ts";
import { sessions } from "../faulted-database.ts";
import { Findings, type Row } from "../row.ts";
import { inParallel } from "../running-stack.ts";
import { pick, shuffled } from "../seed.ts";
import { readEvent, Traffic } from "../traffic.ts";
import { settle } from "./server.ts";

interface Node {
  id: string;
  agent: string;
  after: string[];
  action?: string;
}

/** Work between the plan and the act: each node waits for some of those before it. */
const middle = (random: () => number, size: number): Node[] =>
  Array.from({ length: size }, (_, i) => ({
    id: `m${i}`,
    agent: pick(random, ["researcher", "retriever"]),
    after: i === 0
      ? ["plan"]
      : shuffled(random, ["plan", ...Array.from({ length: i }, (_, j) => `m${j}`)]).slice(
        0,
        1 + Math.floor(random() * 3),
      ),
    action: "RESEARCH",
  }));

const around = (work: Node[]): Node[] => [
  { id: "plan", agent: "planner", after: [], action: "READ" },
  ...work,
  { id: "act", agent: "exec", after: work.map(({ id }) => id), action: "RESEARCH" },
  { id: "critic", agent: "critic", after: ["act"], action: "READ" },
  { id: "approve", agent: "human", after: ["critic"], action: "READ" },
  { id: "publish", agent: "exec", after: ["approve"] },
  { id: "archive", agent: "orchestrator", after: ["publish"], action: "READ" },
];

const graphs: Row = {
  id: 51,
  fault: "circles, wide fans, diamonds, parents that finish together or fail late",
  promise: "a circle is refused; a join fires once, after all it waits for",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const other = db.through(db.connect());
    const found = new Findings();
    const claimed = async (taskId: unknown): Promise<StepWork> => {
      const work = (await line.claim(db, ["planner"])).find(({ task_id }) => task_id === taskId);
      if (!work) throw new Error("the plan's step was not handed out");
      return work;
    };
    const circles = [
      middle(scene.random, 3).map((node, i) =>
        i === 0 ? { ...node, after: ["m2"] } : { ...node, after: [`m${i - 1}`] }
      ),
      [{ id: "m0", agent: "researcher", after: ["m0"], action: "RESEARCH" }],
      middle(scene.random, 2).map((node) => ({ ...node, after: ["publish"] })),
    ];
    let refusedCircles = 0;
    for (const circle of circles) {
      const { task_id } = await line.accept(db, readEvent(`circle ${refusedCircles}`));
      const { refused } = await line.plan(db, await claimed(task_id), around(circle));
      found.must(refused === "cyclic_plan", `a circle was ${refused ?? "taken"}`);
      refusedCircles += Number(refused === "cyclic_plan");
    }
    const n = scene.times(12);
    let steps = 0;
    for (let i = 0; i < n; i++) {
      const size = i === 0 ? 56 : 2 + Math.floor(scene.random() * 12);
      const work = i === 0
        ? Array.from(
          { length: size },
          (_, j) => ({ id: `m${j}`, agent: "researcher", after: ["plan"], action: "RESEARCH" }),
        )
        : middle(scene.random, size);
      const { task_id } = await line.accept(db, readEvent(`graph ${i}`));
      const planned = await line.plan(db, await claimed(task_id), around(work));
      if (planned.refused) throw new Error(`a plan was refused: ${JSON.stringify(planned)}`);
      for (;;) {
        const held = (await line.claim(db, ["researcher", "retriever"])).filter((step) =>
          step.task_id === task_id
        );
        if (held.length === 0) break;
        // In whatever order, from two sessions, twins together.
        const order = shuffled(scene.random, held);
        await inParallel(held.length, 4, async (j) => {
          const by = j % 2 ? db : other;
          const step = order[j];
          await line.complete(by, step, line.resultOf(step));
        });
        steps += held.length;
      }
      const fired = await db.count(
        "public.events where task_id = $1 and type = 'STEP_READY' and payload_json ->> 'node_id' = 'act'",
        [task_id],
      );
      found.must(fired === 1, `the join of graph ${i} fired ${fired} times`);
      await line.runToGate(db);
    }
    // A parent that fails for good while the others are under way: the join never fires, the task ends.
    const { task_id } = await line.accept(db, readEvent("late failure"));
    await line.plan(
      db,
      await claimed(task_id),
      around(middle(() => 0, 4).map((node) => ({ ...node, after: ["plan"] }))),
    );
    const held = (await line.claim(db, ["researcher", "retriever"])).filter((step) =>
      step.task_id === task_id
    );
    for (const step of held.slice(1)) await line.complete(db, step, line.resultOf(step));
    await line.fail(db, held[0], "insufficient_data");
    const open = await db.count(
      "public.task_steps where task_id = $1 and status in ('pending', 'ready', 'running')",
      [task_id],
    );
    found.must(open === 0, `${open} steps wait behind a parent that failed`);
    found.counted(refusedCircles, "circles refused as cyclic_plan");
    found.counted(steps, "nodes completed in random order from two sessions");
    found.saw(
      `${n} graphs, the widest 56 nodes: each join fired once; a late failure cancels what waits`,
    );
    return found.outcome(
      `${circles.length} circles, ${n} random graphs, one parent that fails last`,
    );
  },
};

const oneStream: Row = {
  id: 68,
  fault: "sixty-four writers at once on one record",
  promise:
    "each change has its audit row, in order, without a gap in its trail (a chain of hashes: AUD-02)",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const pools = Array.from({ length: 4 }, () => db.through(db.connect(16)));
    const { task_id } = await line.accept(db, readEvent("one stream"));
    const n = scene.times(1280);
    const before = await db.count("public.audit_logs");
    let refusals = 0;
    const [{ step_id }] = await db.owner<{ step_id: string }>(
      "select step_id from public.task_steps where task_id = $1",
      [task_id],
    );
    // Every one of them leaves a row about the same step.
    await inParallel(n, 64, async (i) => {
      const { refused } = await pools[i % 4].database.call<line.Answer>("extend_lease", {
        p_step_id: step_id,
        p_attempt: 1,
        p_lease_token: "00000000-0000-0000-0000-000000000000",
      });
      refusals += Number(refused === "stale_lease");
    });
    const after = await db.count("public.audit_logs");
    found.must(refusals === n, `${refusals} of ${n} were refused`);
    found.must(after - before === n, `${after - before} audit rows for ${n} refusals`);
    const repeated = await db.count(
      "(select id from public.audit_logs group by id having count(*) > 1) d",
    );
    found.must(repeated === 0, `${repeated} numbers are used twice`);
    found.counted(n, "writes by 64 writers in 4 pools");
    found.saw(`${after - before} rows for ${n} writes, no number twice`);
    return found.outcome(`${n} refusals about one step, 64 at once`);
  },
};

const deployment: Row = {
  id: 52,
  fault: "the schema migrates while the last release's work is under way",
  promise: "what was under way goes on; nothing is lost",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.bareDatabase();
    const found = new Findings();
    const all = await migrations();
    const landed = all.filter(({ version }) => version < "0300");
    const later = all.filter(({ version }) => version >= "0300");
    const owner = sessions(db.url, 1);
    await migrate(postgresMigrator(owner), landed);
    await household(db);
    const traffic = new Traffic(scene, db, { senders: 2, workers: 1, pauseMs: 40 });
    await sleep(1500);
    const before = traffic.acknowledged.length;
    const applied: string[] = [];
    let deadlocks = 0;
    // A file that meets live work in a deadlock is taken back whole; whoever migrates starts it again.
    for (let done = false; !done;) {
      const files = await migrate(postgresMigrator(owner), all).catch((error) => {
        if (!String(error.message).includes("deadlock detected") || ++deadlocks > 20) throw error;
        return null;
      });
      if (files !== null) applied.push(...files);
      done = files !== null;
    }
    const on = await db.count(
      "pg_tables where schemaname = 'public' and tablename = 'fallback_queue'",
    );
    await owner.end({ timeout: 1 });
    const at = Date.now();
    await sleep(2000);
    found.must(on === 1, "the later files were not applied");
    found.must(before > 0, "nothing was under way before");
    found.must(
      traffic.acknowledged.some((when) => when > at),
      "nobody was answered after the migration",
    );
    await settle(traffic, found);
    found.counted(
      later.length,
      `files applied under load, ${deadlocks} deadlocks with live work on the way`,
    );
    found.saw(
      `${traffic.acknowledged.length} acknowledged, ${before} of them before; errors meanwhile: ${
        [...traffic.errors].map(([code, n]) => `${n}×${code}`).join(" ") || "none"
      }`,
    );
    return found.outcome(`migrations from 0300 on, with senders and a worker running`);
  },
};

export const graph = [graphs, oneStream, deployment];
