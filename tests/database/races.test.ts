import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Database } from "../../functions/_database/database.ts";
import type { StepWork } from "../../functions/_domain/task.ts";
import type { TestDatabase } from "../support/database.ts";
import * as line from "../support/line.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../support/native.ts";

onNativePostgres("many sessions at once", () => {
  let native: NativeDatabase;
  let db: TestDatabase;
  /** The same line as another process sees it, with sessions of its own. */
  let other: TestDatabase;

  const through = (database: Database) => ({ ...native, database }) as unknown as TestDatabase;

  beforeAll(async () => {
    native = await openNativeDatabase();
    db = through(native.connect(20));
    other = through(native.connect(20));
    await line.activate(db);
    await line.addMember(db, "operator", "olga", "1001");
    await line.addMember(db, "operator", "oskar", "1002");
  });
  afterAll(() => native?.close());

  const count = async (sql: string, params: unknown[] = []): Promise<number> =>
    (await db.owner<{ n: number }>(`select count(*) as n from ${sql}`, params))[0].n;

  /** Plans one task in both worlds' sight and returns what became ready. */
  const planned = async (body = randomUUID()): Promise<StepWork[]> => {
    const { task_id } = await line.accept(db, line.alertEvent(`BUY BTCUSDT ${body}`));
    const work = (await line.claim(db, ["planner"])).find((step) => step.task_id === task_id)!;
    await line.plan(db, work);
    return (await line.claim(db, ["researcher", "retriever"]))
      .filter((step) => step.task_id === task_id);
  };

  it("makes one task of 200 copies of an alert that arrive together", async () => {
    const event = line.alertEvent(`BUY ${randomUUID()}`);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => line.accept(i % 2 ? db : other, event)),
    );
    expect(new Set(answers.map(({ task_id }) => task_id)).size).toBe(1);
    expect(answers.filter(({ duplicate }) => duplicate === false)).toHaveLength(1);
    expect(await count("public.tasks where task_id = $1", [answers[0].task_id])).toBe(1);
    expect(await count("public.event_receipts where task_id = $1", [answers[0].task_id])).toBe(200);
  });

  it("gives 200 tasks of one moment 200 numbers of one day", async () => {
    const answers = await Promise.all(
      Array.from(
        { length: 200 },
        (_, i) => line.accept(i % 2 ? db : other, line.alertEvent(`SELL ${i} ${randomUUID()}`)),
      ),
    );
    const ids = answers.map(({ task_id }) => task_id as string);
    expect(new Set(ids).size).toBe(200);
    for (const id of ids) expect(id).toMatch(/^T-\d{4}-\d{2}-\d{2}-\d{4,}$/);
    expect(await count("private.day_bases where kind = 'task'")).toBeLessThanOrEqual(2);
  });

  it("never hands one step to two workers", async () => {
    await Promise.all(
      Array.from({ length: 60 }, () => line.accept(db, line.alertEvent(`BUY ${randomUUID()}`))),
    );
    const claimed: string[] = [];
    const worker = async (database: Database, name: string) => {
      const args = { p_worker: name, p_limit: 7, p_agents: ["planner"] };
      for (;;) {
        const work = await database.call<StepWork[]>("claim_steps", args);
        if (work.length === 0) return;
        claimed.push(...work.map(({ step_id }) => step_id));
      }
    };
    await Promise.all(
      Array.from({ length: 8 }, (_, i) => worker((i % 2 ? db : other).database, `worker-${i}`)),
    );
    expect(claimed.length).toBeGreaterThanOrEqual(60);
    expect(new Set(claimed).size).toBe(claimed.length);
  });

  it("makes a child ready once when its two parents finish in two sessions", async () => {
    for (let round = 0; round < 15; round++) {
      const [one, two] = await planned();
      const [first, second] = await Promise.all([
        line.complete(db, one, line.resultOf(one)),
        line.complete(other, two, line.resultOf(two)),
      ]);
      expect([first[0].status, second[0].status]).toEqual(["done", "done"]);
      const [child] = await db.owner<{ status: string; pending_parents: number }>(
        "select status, pending_parents from public.task_steps where task_id = $1 and node_id = 'act'",
        [one.task_id],
      );
      expect(child).toEqual({ status: "ready", pending_parents: 0 });
      const became = "public.events where task_id = $1 and type = 'STEP_READY' " +
        "and payload_json ->> 'node_id' = 'act'";
      expect(await count(became, [one.task_id])).toBe(1);
    }
  });

  it("accepts one of two results that two sessions hand in under one lease", async () => {
    const [work] = await planned();
    const answers = await Promise.all(
      [db, other, db, other].map((by) => line.complete(by, work, line.resultOf(work))),
    );
    const outcomes = answers.map(([answer]) => answer.refused ?? answer.status).sort();
    expect(outcomes).toEqual(["done", "stale_lease", "stale_lease", "stale_lease"]);
    expect(await count("public.artifacts where step_id = $1", [work.step_id])).toBe(1);
  });

  it("lets one of two people decide who press yes and no together", async () => {
    for (let round = 0; round < 10; round++) {
      const taskId = await line.signalAtGate(db);
      const code = await line.openCode(db, taskId);
      await Promise.all([
        line.decide(db, "1001", code, "approve"),
        line.decide(other, "1002", code, "reject"),
      ]);
      const [request] = await db.owner<{ status: string; decisions: string[] }>(
        "select r.status, array_agg(a.decision order by a.ts) as decisions " +
          "from public.approval_requests r join public.approvals a using (request_id) " +
          "where r.code = $1 group by r.request_id",
        [code],
      );
      expect(request.decisions).toHaveLength(1);
      const [approved] = request.decisions.map((decision) => decision.startsWith("approve"));
      expect(request.status).toBe(approved ? "approved" : "rejected");
      expect(await line.statusOf(db, taskId)).toBe(approved ? "running" : "rejected");
    }
  });

  it("records one Telegram update once, however often it is delivered", async () => {
    const taskId = await line.signalAtGate(db);
    const code = await line.openCode(db, taskId);
    const intent = { type: "approve", code, decision: "approve", reason: null };
    const update = line.update("1001", intent);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => line.handle(i % 2 ? db : other, update)),
    );
    expect(answers.filter(({ outcome }) => outcome === "recorded")).toHaveLength(1);
    expect(answers.filter(({ outcome }) => outcome === "duplicate")).toHaveLength(19);
  });

  it("reserves an approved effect once, whoever asks first", async () => {
    const taskId = await line.signalAtGate(db);
    await line.decide(db, "1001", await line.openCode(db, taskId));
    const work = (await line.claim(db, ["communicator"])).find((step) => step.task_id === taskId)!;
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => line.reserve(i % 2 ? db : other, work)),
    );
    expect(await count("public.effects where task_id = $1", [taskId])).toBe(1);
    const effects = answers.flatMap(({ effect_id }) => effect_id ? [effect_id] : []);
    expect(new Set(effects).size).toBe(1);
  });
});
