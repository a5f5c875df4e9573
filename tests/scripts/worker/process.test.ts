import { createHash, randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { openProxy } from "../../../scripts/faults/proxy.mjs";
import { startWorkerProcess } from "../../../scripts/faults/worker-process.mjs";
import type { TestDatabase } from "../../support/database.ts";
import * as line from "../../support/line.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../../support/native.ts";

type Process = ReturnType<typeof startWorkerProcess>;
const running = new Set<Process>();

function start(env: Record<string, string>, ...options: string[]): Process {
  const worker = startWorkerProcess(env, ...options);
  running.add(worker);
  worker.ended.then(() => running.delete(worker));
  return worker;
}
afterEach(async () => {
  for (const worker of running) worker.signal("SIGKILL");
  await Promise.all([...running].map(({ ended }) => ended));
});

it.each([
  ["no database", {}, [], "DATABASE_URL is not set"],
  ["an address that is none", { DATABASE_URL: "mysql://x" }, [], "must be a postgres://"],
  [
    "a database that does not answer",
    { DATABASE_URL: "postgres://a@127.0.0.1:9/x" },
    [],
    "does not answer",
  ],
  [
    "a failpoint that nobody meant",
    { DATABASE_URL: "postgres://a@127.0.0.1:9/x", FAILPOINT: "after_claim" },
    [],
    "FAILPOINT is set",
  ],
  [
    "a number of steps that is none",
    { DATABASE_URL: "postgres://a@127.0.0.1:9/x" },
    ["--concurrency", "0"],
    "from 1 to 100",
  ],
])("a worker refuses to start with %s, in a sentence", async (_, env, options, sentence) => {
  const worker = start(env as Record<string, string>, ...options);
  expect(await worker.ended).toEqual({ code: 1, signal: null });
  expect(worker.errors()).toContain(sentence);
  expect(worker.errors()).not.toContain(" at ");
}, 90_000);

onNativePostgres("workers of one Postgres", () => {
  let native: NativeDatabase;
  let db: TestDatabase;
  let env: Record<string, string>;

  beforeAll(async () => {
    native = await openNativeDatabase();
    db = native as unknown as TestDatabase;
    await line.activate(db);
    await line.addMember(db, "operator", "olga", "1001");
    env = { DATABASE_URL: native.gatewayUrl };
  });
  afterAll(() => native?.close());

  const read = async (text: string = randomUUID()): Promise<string> =>
    String(
      (await line.accept(
        db,
        line.alertEvent(text, {
          source: "desk",
          action: "READ",
          body_sha256: createHash("sha256").update(text).digest("hex"),
        }),
      )).task_id,
    );
  const ended = async (ids: string[]) => {
    const rows = await db.owner<{ status: string }>(
      "select status from public.tasks where task_id = any ($1::text::text[])",
      [`{${ids.join(",")}}`],
    );
    return rows.filter(({ status }) => status === "archived").length;
  };
  const stepsOf = (taskId: string) =>
    db.owner<Record<string, unknown>>(
      "select node_id, status, failures, attempt, last_error, worker, " +
        "extract(epoch from started_at - created_at) * 1000 as waited_ms " +
        "from public.task_steps where task_id = $1 order by created_at, node_id",
      [taskId],
    );

  it("refuses a database that this release has not migrated", async () => {
    const url = new URL(native.ownerUrl);
    url.pathname = "/postgres";
    const worker = start({ DATABASE_URL: url.href });
    expect(await worker.ended).toEqual({ code: 1, signal: null });
  }, 90_000);

  it("end everything between them, each step once, and say how they are", async () => {
    const workers = ["worker-a", "worker-b"].map((name) =>
      start(env, "--concurrency", "3", "--name", name)
    );
    for (const worker of workers) {
      expect(await worker.said("started", 60_000)).toMatchObject({ concurrency: 3, hints: true });
    }
    const ids = await Promise.all(Array.from({ length: 20 }, () => read()));
    await db.database.call("hint_work");
    await expect.poll(() => ended(ids), { timeout: 90_000, interval: 200 }).toBe(20);
    const twice = await db.owner(
      "select step_id from public.task_steps where task_id = any ($1::text::text[]) and attempt > 1",
      [`{${ids.join(",")}}`],
    );
    expect(twice).toEqual([]);
    const beats = await db.owner<{ worker: string; agent_class: string }>(
      "select worker, agent_class from public.agent_heartbeats where worker like 'worker-_' order by 1, 2",
    );
    expect(
      beats.filter(({ worker }) => worker === "worker-a").map(({ agent_class }) => agent_class),
    ).toEqual([
      "communicator",
      "critic",
      "exec",
      "orchestrator",
      "planner",
      "researcher",
      "retriever",
      "trader",
    ]);
    for (const worker of workers) {
      worker.signal("SIGTERM");
      expect(await worker.ended).toEqual({ code: 0, signal: null });
      expect(worker.lines.at(-1)).toMatchObject({ event: "stopped" });
      expect(worker.errors()).toBe("");
    }
  }, 240_000);

  it(
    "share the work with one of an older release, which neither beats nor extends nor looks",
    async () => {
      const worker = start(env, "--concurrency", "2");
      await worker.said("started", 60_000);
      const ids: string[] = [];
      const mine = new Set<string>();
      for (let round = 0; round < 15; round++) {
        ids.push(await read());
        // What a worker of the first release calls, in its words.
        for (const work of await line.claim(db, ["planner", "researcher", "retriever"])) {
          const answer = work.agent_class === "planner"
            ? await line.plan(db, work)
            : (await line.complete(db, work, line.resultOf(work)))[0];
          expect(answer.refused).toBeUndefined();
          mine.add(work.step_id);
        }
        await db.database.call("sweep");
      }
      await expect.poll(() => ended(ids), { timeout: 90_000, interval: 200 }).toBe(15);
      expect(mine.size).toBeGreaterThan(0);
      const theirs = await db.owner(
        "select step_id from public.task_steps where worker like 'worker-%' and task_id = any ($1::text::text[])",
        [`{${ids.join(",")}}`],
      );
      expect(theirs.length).toBeGreaterThan(0);
    },
    240_000,
  );

  it(
    "ask less than once a second when there is nothing to do, and start at once when there is",
    async () => {
      const { hostname, port } = new URL(native.gatewayUrl);
      const proxy = await openProxy({ host: hostname, port: Number(port) });
      try {
        const worker = start({ DATABASE_URL: proxy.through(native.gatewayUrl) });
        expect(await worker.said("started", 60_000)).toMatchObject({ hints: true });
        await sleep(12_000);
        const before = proxy.counts.answers;
        await sleep(20_000);
        const asked = proxy.counts.answers - before;
        expect(asked).toBeGreaterThan(0);
        expect(asked / 20).toBeLessThan(1);

        const id = await read();
        await db.database.call("hint_work");
        await expect.poll(() => ended([id]), { timeout: 20_000, interval: 100 }).toBe(1);
        const [plan] = await stepsOf(id);
        // It was between two looks that lie seconds apart.
        expect(Number(plan.waited_ms)).toBeLessThan(1_500);
      } finally {
        await proxy.close();
      }
    },
    90_000,
  );

  it("find work by the clock where no hint comes", async () => {
    const worker = start(env);
    await worker.said("started", 60_000);
    await sleep(3_000);
    const id = await read();
    await expect.poll(() => ended([id]), { timeout: 20_000, interval: 200 }).toBe(1);
  }, 240_000);

  it(
    "give back what they cannot end in time, as nobody's failure, and end within ten seconds",
    async () => {
      const model = await silentModel();
      try {
        const { port } = Object(model.address());
        const worker = start({
          ...env,
          LLM_BASE_URL: `http://127.0.0.1:${port}/v1`,
          LLM_MODEL: "silent",
        });
        await worker.said("started", 60_000);
        const id = await read();
        const critic = async () =>
          (await stepsOf(id)).find(({ node_id }) => node_id === "critic") ?? {};
        await expect.poll(async () => (await critic()).status, { timeout: 60_000 }).toBe("running");
        const asked = Date.now();
        worker.signal("SIGTERM");
        expect(await worker.ended).toEqual({ code: 0, signal: null });
        expect(Date.now() - asked).toBeLessThan(10_000);
        expect(await critic()).toMatchObject({
          status: "ready",
          failures: 0,
          attempt: 1,
          last_error: "its worker is ending",
        });
        expect(worker.lines.at(-1)).toMatchObject({ event: "stopped", returned: 1 });

        // The second signal does not wait for anything.
        const other = start({
          ...env,
          LLM_BASE_URL: `http://127.0.0.1:${port}/v1`,
          LLM_MODEL: "silent",
        });
        await other.said("started", 60_000);
        await expect.poll(async () => (await critic()).status, { timeout: 60_000 }).toBe("running");
        other.signal("SIGTERM");
        await sleep(2_000);
        other.signal("SIGTERM");
        const second = Date.now();
        expect(await other.ended).toEqual({ code: 130, signal: null });
        expect(Date.now() - second).toBeLessThan(2_000);
      } finally {
        model.closeAllConnections();
        model.close();
      }
    },
    90_000,
  );
});

/** Takes every question and answers none. */
async function silentModel(): Promise<Server> {
  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
