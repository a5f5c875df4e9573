import type { Agent } from "../../../functions/_agents/agent.ts";
import type { StepWork } from "../../../functions/_domain/task.ts";
import { handle as health } from "../../../functions/dags-domain-health/handler.ts";
import { tick } from "../../../functions/orchestrator/handler.ts";
import * as line from "../../../tests/support/line.ts";
import { Findings, type Row } from "../row.ts";
import { inParallel } from "../running-stack.ts";
import { until } from "../../../tests/support/until.ts";
import { shuffled } from "../seed.ts";
import { orchestratorOf, readEvent } from "../traffic.ts";
import { decided, message, nextUpdate, webhookOf } from "./webhook.ts";

const rescue: Row = {
  id: 35,
  fault: "the reaper and the holder finish the same step at once",
  promise: "completed stays completed; the loser changes nothing",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const other = db.through(db.connect());
    const found = new Findings();
    const rounds = scene.times(60);
    const tally = { completed: 0, rescued: 0 };
    for (let round = 0; round < rounds; round++) {
      const { task_id } = await line.accept(db, readEvent(`race ${round}`));
      const work = (await line.claim(db, ["planner"])).find((step) => step.task_id === task_id);
      if (!work) throw new Error("nothing was claimed");
      await line.plan(db, work);
      const step = (await line.claim(db, ["retriever"])).find((one) => one.task_id === task_id);
      if (!step) throw new Error("nothing became ready");
      await db.owner(
        "update public.task_steps set lease_expires_at = private.now() - interval '1 millisecond' where step_id = $1",
        [step.step_id],
      );
      const both = [
        () => line.complete(other, step, line.resultOf(step)),
        () => db.owner("select private.reap_leases() as n"),
      ];
      await Promise.all(shuffled(scene.random, both).map((act) => act()));
      const [row] = await db.owner<{ status: string; n: number }>(
        `select s.status, (select count(*)::int from public.artifacts a where a.step_id = s.step_id) as n
         from public.task_steps s where s.step_id = $1`,
        [step.step_id],
      );
      found.must(
        row.status === "done" ? row.n === 1 : row.status === "ready" && row.n === 0,
        `${row.status} with ${row.n} artifacts`,
      );
      tally[row.status === "done" ? "completed" : "rescued"]++;
      // Whoever was too late learns it; whoever was in time is not undone by a second look.
      const [late] = await line.complete(other, step, line.resultOf(step));
      found.must(
        late.refused === "stale_lease",
        `a second completion: ${late.refused ?? late.status}`,
      );
      await db.owner("select private.reap_leases()");
      const [{ status }] = await db.owner<{ status: string }>(
        "select status from public.task_steps where step_id = $1",
        [step.step_id],
      );
      found.must(status === row.status, `${row.status} became ${status}`);
    }
    found.counted(rounds, "lapsed leases raced by two sessions");
    found.saw(
      `${tally.completed} completed, ${tally.rescued} given back; late completions stale_lease`,
    );
    return found.outcome(`${rounds} races of completion and rescue`);
  },
};

const poison: Row = {
  id: 44,
  fault: "steps that always throw, or whose worker never comes back",
  promise: "three attempts, then failed with the last error; neighbours unaffected",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const n = scene.times(4);
    const ids: string[] = [];
    const fine: string[] = [];
    for (let i = 0; i < n; i++) {
      ids.push(String((await line.accept(db, readEvent(`poison ${i}`))).task_id));
      for (let j = 0; j < 5; j++) {
        fine.push(String((await line.accept(db, readEvent(`fine ${i}.${j}`))).task_id));
      }
    }
    let thrown = 0;
    const plain = orchestratorOf(db.database, "worker");
    const retriever: Agent = (work, context) => {
      if (ids.includes(work.task_id)) {
        thrown++;
        throw new Error("this step is poison");
      }
      return plain.agents.exec(work, context);
    };
    const deps = { ...plain, agents: { ...plain.agents, retriever } };
    await until("everything to end", async () => {
      await tick(deps);
      await db.owner("update public.task_steps set run_at = private.now() where status = 'ready'");
      return await db.count("public.tasks where ended_at is null") === 0;
    }, 60_000);
    found.must(thrown === 3 * n, `${thrown} attempts at ${n} poisoned steps`);
    const failed = await db.count(
      "public.task_steps where status = 'failed' and failures <= 3 and last_error like '%poison%'",
    );
    found.must(failed === n, `${failed} of ${n} kept their last error`);
    const archived = await db.count("public.tasks where status = 'archived'");
    found.must(archived === fine.length, `${archived} of ${fine.length} neighbours were archived`);
    // A worker that dies at this step every time: nobody throws, the lease is lost three times.
    const { task_id } = await line.accept(db, readEvent("endless"));
    let lost = 0;
    for (; lost < 5; lost++) {
      await db.owner("update public.task_steps set run_at = private.now() where status = 'ready'");
      const held = (await line.claim(db)).filter((step) => step.task_id === task_id);
      if (held.length === 0) break;
      await db.owner(
        "update public.task_steps set lease_expires_at = private.now() - interval '1 second' where status = 'running'",
      );
      await db.owner("select private.reap_leases()");
    }
    found.must(lost === 3, `a step whose worker dies was tried ${lost} times`);
    found.must(await line.statusOf(db, String(task_id)) === "failed", "its task goes on");
    found.counted(thrown, "errors thrown by agents");
    found.counted(lost, "leases lost on one step");
    found.saw(
      `${failed} failed after 3 attempts, ${archived} neighbours archived, 3 lost leases end a task`,
    );
    return found.outcome(
      `${n} poisoned tasks among ${fine.length} others, one that kills its worker`,
    );
  },
};

const storm: Row = {
  id: 47,
  fault: "a thousand steps fail together because something is down",
  promise: "attempts are spread by jitter, not all at once",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const n = scene.times(1000);
    await inParallel(n, 10, (i) => line.accept(db, readEvent(`storm ${i}`)));
    const held: StepWork[] = [];
    for (let more = await line.claim(db); more.length > 0; more = await line.claim(db)) {
      held.push(...more);
    }
    await inParallel(held.length, 10, (i) => line.fail(db, held[i], "unavailable"));
    const delays = await db.owner<{ s: number }>(
      `select extract(epoch from s.run_at - a.ts)::float8 as s from public.task_steps s
       join public.audit_logs a on a.object = 'step:' || s.step_id and a.action = 'step.fail' and a.outcome = 'refused'
       where s.status = 'ready' and s.failures = 1`,
    );
    const seconds = delays.map(({ s }) => s);
    const mean = seconds.reduce((sum, s) => sum + s, 0) / seconds.length;
    const deviation = Math.sqrt(
      seconds.reduce((sum, s) => sum + (s - mean) ** 2, 0) / seconds.length,
    );
    found.must(seconds.length === n, `${seconds.length} of ${n} wait to be tried again`);
    found.must(new Set(seconds.map((s) => s.toFixed(6))).size > n * 0.9, "delays repeat");
    // Full jitter is even between nothing and its ceiling: its deviation is 0.29 of that.
    found.must(
      deviation > 0.2 * Math.max(...seconds),
      `the delays' deviation is ${deviation.toFixed(2)} s`,
    );
    // Whoever was down is met by no wave: no fifth of the time brings more than twice its share.
    const longest = Math.max(...seconds);
    const waves = Array.from(
      { length: 5 },
      (_, fifth) =>
        seconds.filter((s) => Math.min(4, Math.floor(s / longest * 5)) === fifth).length,
    );
    found.must(Math.max(...waves) <= 2 * n / 5, `${Math.max(...waves)} of ${n} come together`);
    found.must(
      Math.max(...seconds) <= 60 && Math.min(...seconds) >= 0,
      "a first delay is outside its bounds",
    );
    found.counted(seconds.length, "steps failed with unavailable");
    found.saw(
      `first delays ${Math.min(...seconds).toFixed(2)}–${
        Math.max(...seconds).toFixed(2)
      } s, deviation ${deviation.toFixed(2)} s; by fifths of that time ${waves.join(" ")}`,
    );
    return found.outcome(`${n} steps given back as unavailable`);
  },
};

const skew: Row = {
  id: 43,
  fault: "the worker's and the door's clocks are ten minutes off",
  promise:
    "the database's clock rules leases and expiries; a skewed signature is refused; health says so",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    for (const minutes of [10, -10]) {
      const now = () => new Date(Date.now() + minutes * 60_000);
      const { task_id } = await line.accept(db, readEvent(`skew ${minutes}`));
      const leases: number[] = [];
      const plain = orchestratorOf(db.database, `skewed ${minutes}`, { now });
      const retriever: Agent = async (work, context) => {
        const [{ s }] = await db.owner<{ s: number }>(
          "select extract(epoch from lease_expires_at - private.now())::float8 as s from public.task_steps where step_id = $1",
          [work.step_id],
        );
        leases.push(s);
        return await plain.agents.exec(work, context);
      };
      await tick({ ...plain, agents: { ...plain.agents, retriever } });
      found.must(
        await line.statusOf(db, String(task_id)) === "archived",
        "a skewed worker's task did not end",
      );
      found.must(leases.every((s) => s > 0 && s <= 30), `a lease of ${leases[0]} s`);
      const taskId = await line.signalAtGate(db);
      const code = await line.openCode(db, taskId);
      const heard = await webhookOf(db, now)({
        update_id: nextUpdate(),
        message: message(1001, `/approve ${code} yes`),
      });
      found.must(
        heard.code === "signature_mismatch",
        `a door ${minutes} min off: ${heard.code ?? "decided"}`,
      );
      found.must(await decided(db, taskId) === 0, "a decision of a skewed door is on record");
      const report = await (await health(
        new Request("http://x/functions/v1/dags-domain-health", {
          headers: { authorization: "Bearer service-token" },
        }),
        {
          database: db.database,
          service_token: "service-token",
          policy_sha256: line.policySha256,
          mirror_configured: false,
          now,
        },
      )).json();
      found.must(report.clock?.status === "degraded", `its clock is ${report.clock?.status}`);
      found.proof(
        `clocks ${minutes} min off: lease ${
          leases[0]?.toFixed(1)
        } s, decision ${heard.code}, health says ${report.clock?.skew_ms} ms`,
      );
    }
    // A clock that is set right in the middle of the work: twenty minutes back between two readings.
    let readings = 0;
    const stepping = () => new Date(Date.now() + (readings++ % 2 === 0 ? 10 : -10) * 60_000);
    const { task_id: stepped } = await line.accept(db, readEvent("stepped"));
    await tick(orchestratorOf(db.database, "stepped", { now: stepping }));
    found.must(
      await line.statusOf(db, String(stepped)) === "archived",
      "a task under a clock that steps did not end",
    );
    found.must(readings > 0, "the clock that steps was never read");
    found.counted(readings, "readings of a clock that steps twenty minutes to and fro");
    found.saw("tasks archived, leases by the database's clock, skewed signatures refused");
    return found.outcome("a worker and a webhook with clocks moved by ±10 min, and one that steps");
  },
};

export const execution = [rescue, poison, storm, skew];
