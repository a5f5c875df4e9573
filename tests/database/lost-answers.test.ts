import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Database } from "../../functions/_database/database.ts";
import { postgresDatabase } from "../../functions/_database/postgres-database.ts";
import { steadyDatabase } from "../../functions/_database/steady-database.ts";
import type { StepWork } from "../../functions/_domain/task.ts";
import { openProxy, postgresAnswered } from "../../scripts/faults/proxy.mjs";
import type { TestDatabase } from "../support/database.ts";
import * as line from "../support/line.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../support/native.ts";

type Cut = "cut-before" | "cut-after";

onNativePostgres("a connection that ends around the commit", () => {
  let native: NativeDatabase;
  /** Undisturbed, for what the test prepares and looks at. */
  let db: TestDatabase;
  /** The same calls by way of the proxy. */
  let shaky: TestDatabase;
  let database: Database;
  let proxy: Awaited<ReturnType<typeof openProxy>>;

  beforeAll(async () => {
    native = await openNativeDatabase();
    const { hostname, port } = new URL(native.gatewayUrl);
    proxy = await openProxy({ host: hostname, port: Number(port) });
    database = steadyDatabase(postgresDatabase(proxy.through(native.gatewayUrl), { max: 2 }));
    db = { ...native, pg: null } as unknown as TestDatabase;
    shaky = { ...db, database };
    await line.activate(db);
    await line.addMember(db, "operator", "olga", "1001");
  });
  afterAll(async () => {
    await database?.close();
    await proxy?.close();
    await native?.close();
  });

  const cuts: Cut[] = ["cut-before", "cut-after"];
  let before = 0;
  beforeEach(() => before = proxy.counts.cuts);

  /** The next bytes that carry this text are lost, or their answer is. */
  const cut = (mode: Cut, match: unknown) =>
    proxy.set(mode, { match: String(match), answered: postgresAnswered });
  const wasCut = () => expect(proxy.counts.cuts - before).toBe(1);

  const count = async (from: string, params: unknown[]): Promise<number> =>
    (await db.owner<{ n: number }>(`select count(*) as n from ${from}`, params))[0].n;
  const of = (steps: StepWork[], taskId: unknown) =>
    steps.find(({ task_id }) => task_id === taskId)!;
  const fresh = async (): Promise<StepWork> => {
    const { task_id } = await line.accept(db, line.alertEvent(`BUY ${randomUUID()}`));
    return of(await line.claim(db, ["planner"]), task_id);
  };
  const planned = async (): Promise<StepWork> => {
    const work = await fresh();
    await line.plan(db, work);
    return of(await line.claim(db, ["researcher", "retriever"]), work.task_id);
  };

  it.each(cuts)("%s: an event makes one task", async (mode) => {
    const body = `BUY ${randomUUID()}`;
    cut(mode, body);
    const answer = await line.accept(shaky, line.alertEvent(body));
    expect(answer.refused).toBeUndefined();
    const tasks = "public.tasks where payload_json ->> 'body' = $1";
    expect(await count(tasks, [body])).toBe(1);
    wasCut();
  });

  it.each(cuts)("%s: a plan is recorded once, and its planner hears so", async (mode) => {
    const work = await fresh();
    cut(mode, work.lease_token);
    expect((await line.plan(shaky, work)).refused).toBeUndefined();
    const planned = "public.events where task_id = $1 and type = 'TASK_PLANNED'";
    expect(await count(planned, [work.task_id])).toBe(1);
    wasCut();
  });

  it.each(cuts)("%s: a result is completed once, and its worker hears so", async (mode) => {
    const work = await planned();
    cut(mode, work.lease_token);
    const [answer] = await line.complete(shaky, work, line.resultOf(work));
    expect(answer).toMatchObject({ step_id: work.step_id, status: "done" });
    expect(await count("public.artifacts where step_id = $1", [work.step_id])).toBe(1);
    // Nothing was handed in to be refused.
    expect(await line.refusalsOf(db, `step:${work.step_id}`)).toEqual([]);
    wasCut();
  });

  it.each(cuts)("%s: a failure counts once", async (mode) => {
    const work = await planned();
    cut(mode, work.lease_token);
    expect(await line.fail(shaky, work, "unavailable")).toMatchObject({ status: "ready" });
    const [{ failures }] = await db.owner<{ failures: number }>(
      "select failures from public.task_steps where step_id = $1",
      [work.step_id],
    );
    expect(failures).toBe(1);
    wasCut();
  });

  it.each(cuts)("%s: an effect is reserved, started and confirmed once each", async (mode) => {
    for (const stage of ["reserve", "start", "confirm"] as const) {
      before = proxy.counts.cuts;
      const { taskId, work } = await line.approvedSignal(db);
      const at = (name: string) => {
        if (name === stage) cut(mode, work.lease_token);
        return name === stage ? shaky : db;
      };
      const { effect_id, refused } = await line.reserve(at("reserve"), work);
      expect([stage, refused]).toEqual([stage, undefined]);
      expect(await line.start(at("start"), effect_id, work)).toEqual({ status: "sent" });
      expect(await line.confirm(at("confirm"), effect_id, work)).toEqual({ status: "confirmed" });
      const [effect] = await db.owner<Record<string, unknown>>(
        "select status, attempt from public.effects where task_id = $1",
        [taskId],
      );
      expect(effect).toEqual({ status: "confirmed", attempt: 1 });
      for (const type of ["EFFECT_RESERVED", "EFFECT_SENT", "EFFECT_CONFIRMED", "PUBLISH_OK"]) {
        const events = "public.events where task_id = $1 and type = $2";
        expect(await count(events, [taskId, type])).toBe(1);
      }
      expect(await line.refusalsOf(db, taskId)).toEqual([]);
      wasCut();
    }
  });

  it.each(cuts)("%s: a task is archived once", async (mode) => {
    const { taskId, work } = await line.approvedSignal(db);
    const { effect_id } = await line.reserve(db, work);
    await line.start(db, effect_id, work);
    await line.confirm(db, effect_id, work);
    const last = of(await line.claim(db, ["orchestrator"]), taskId);
    cut(mode, last.lease_token);
    expect((await line.archive(shaky, last)).refused).toBeUndefined();
    expect(await line.statusOf(db, taskId)).toBe("archived");
    wasCut();
  });

  it("a confirmation that comes too late is refused, and what it saw is on record", async () => {
    const { taskId, work } = await line.approvedSignal(db);
    const { effect_id } = await line.reserve(db, work);
    await line.start(db, effect_id, work);
    await db.owner(
      "update public.task_steps set lease_expires_at = private.now() - interval '1 second' where step_id = $1",
      [work.step_id],
    );
    await db.database.call("reap");
    cut("cut-after", work.lease_token);
    expect(await line.confirm(shaky, effect_id, work)).toMatchObject({ refused: "stale_lease" });
    expect(await line.statusOf(db, taskId)).toBe("paused");
    const seen = "public.audit_logs where task_id = $1 and code = 'stale_lease' " +
      "and action = 'effect.confirm' and after_json ->> 'outcome' = 'confirmed'";
    expect(await count(seen, [taskId])).toBeGreaterThanOrEqual(1);
    wasCut();
  });

  it("a backend that is ended again and again loses nothing and does nothing twice", async () => {
    let over = false;
    let ended = 0;
    const axe = (async () => {
      while (!over) {
        const [{ n }] = await db.as<{ n: number }>(
          "postgres",
          "select count(pg_terminate_backend(pid)) as n from (select pid from pg_stat_activity " +
            "where datname = current_database() and application_name = 'axed' and state = 'active' limit 1) one",
        );
        ended += n;
        await new Promise((resolve) => setTimeout(resolve, 150 + 300 * Math.random()));
      }
    })();
    const url = new URL(native.gatewayUrl);
    const pool = postgresDatabase(url.href, { max: 3, applicationName: "axed" });
    const axed = steadyDatabase(pool, { patienceMs: () => 30_000 });
    try {
      const bodies: string[] = [];
      const own = { ...db, database: axed };
      while (ended < 8 || bodies.length < 10) {
        const body = `SELL ${randomUUID()}`;
        bodies.push(body);
        const { task_id } = await line.accept(own, line.alertEvent(body));
        const claim = { p_worker: "axed", p_limit: 2, p_agents: ["planner"] };
        for (const work of await axed.call<StepWork[]>("claim_steps", claim)) {
          expect((await line.plan(own, work)).refused).toBeUndefined();
        }
        expect(task_id).toBeDefined();
      }
      const made = "public.tasks where payload_json ->> 'body' = any ($1::text::text[])";
      expect(await count(made, [`{${bodies.map((body) => `"${body}"`)}}`])).toBe(bodies.length);
      const twice = "(select task_id from public.events where type = 'TASK_PLANNED' " +
        "group by task_id having count(*) > 1) doubled";
      expect(await count(twice, [])).toBe(0);
    } finally {
      over = true;
      await axe;
      await axed.close();
    }
  }, 120_000);
});
