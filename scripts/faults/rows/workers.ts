import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { tick } from "../../../functions/orchestrator/handler.ts";
import * as line from "../../../tests/support/line.ts";
import { findDeno, root } from "../../launch.mjs";
import { points, runKills } from "../kill.mjs";
import { Findings, type Row } from "../row.ts";
import { until } from "../../../tests/support/until.ts";
import { orchestratorOf, readEvent } from "../traffic.ts";

const killed: Row = {
  id: 33,
  fault: "kill -9 of a worker at each named point",
  promise: "again within 35 s; nothing lost; an effect once, or unknown and never repeated",
  needs: ["postgres"],
  async run(scene) {
    const found = new Findings();
    const { server } = await scene.maker();
    const n = scene.times(points.length);
    const { kills, found: left, problems } = await runKills({
      url: server,
      points,
      n,
      seed: scene.seed,
    });
    for (const problem of problems) found.must(false, String(problem));
    const seen = kills.filter((kill: { seen: boolean }) => kill.seen);
    found.must(seen.length === n, `${seen.length} of ${n} kills were seen`);
    for (const { point, pid, signal } of seen) found.proof(`${point}: pid ${pid} ${signal}`);
    found.saw(
      `${left.tasks} tasks: ${left.archived} archived, ${left.unknown} unknown, ${left.lost.length} lost, ` +
        `${left.duplicated.length} effects twice; leases repeated after p99 ${left.rerun_ms.p99} ms`,
    );
    return found.outcome(`${n} kills over ${points.length} points`);
  },
};

const paused: Row = {
  id: 34,
  fault: "a worker is paused beyond its lease, then goes on and completes",
  promise: "its completion is refused and audited",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const { task_id } = await line.accept(db, readEvent("paused"));
    const script = fileURLToPath(new URL("../slow-worker.ts", import.meta.url));
    const child = spawn(String(findDeno()), [
      "run",
      "--quiet",
      "--allow-all",
      "--no-remote",
      `--config=${root}/deno.json`,
      script,
      db.gatewayUrl,
      "sleeper",
      "2500",
    ], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
    });
    scene.onRowEnd(() => child.kill("SIGKILL"));
    const said: Record<string, unknown>[] = [];
    createInterface({ input: child.stdout }).on("line", (text) => said.push(JSON.parse(text)));
    const { holds } = await until(
      "the worker to hold its step",
      () => said.find((one) => "holds" in one),
      30_000,
    );
    // By process.kill: under Deno a child's own kill does not wake it again.
    process.kill(Number(child.pid), "SIGSTOP");
    const pausedAt = Date.now();
    const state = async () =>
      (await db.owner<{ status: string; attempt: number }>(
        "select status, attempt from public.task_steps where step_id = $1",
        [holds],
      ))[0];
    await until(
      "the lease to lapse",
      async () =>
        (await db.owner(
          "select 1 from public.task_steps where step_id = $1 and lease_expires_at < private.now()",
          [holds],
        )).length > 0,
      60_000,
    );
    const deps = orchestratorOf(db.database, "successor");
    await until("somebody else to end it", async () => {
      await db.database.call("reap");
      await db.owner("update public.task_steps set run_at = private.now() where status = 'ready'");
      await tick(deps);
      return await line.statusOf(db, String(task_id)) === "archived";
    }, 30_000);
    const before = await state();
    process.kill(Number(child.pid), "SIGCONT");
    const refusals = () =>
      db.count("public.audit_logs where code = 'stale_lease' and object = $1", [`step:${holds}`]);
    await until("its late completion to be refused", async () => await refusals() > 0, 30_000);
    found.proof(
      `pid ${child.pid}: SIGSTOP, SIGCONT after ${((Date.now() - pausedAt) / 1000).toFixed(0)} s`,
    );
    const after = await state();
    found.must(
      after.status === "done" && after.attempt === before.attempt,
      `the step is ${after.status} in attempt ${after.attempt}`,
    );
    const stale = await refusals();
    const artifacts = await db.count("public.artifacts where step_id = $1", [holds]);
    found.must(artifacts === 1, `${artifacts} artifacts of one step`);
    found.saw(`stale_lease audited ${stale} time(s); the successor's result stands`);
    return found.outcome(
      "a worker stopped by SIGSTOP with a step in hand, for longer than the lease",
    );
  },
};

export const workers = [killed, paused];
