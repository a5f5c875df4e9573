import { afterAll, beforeAll, expect, it } from "vitest";
import type { StepWork } from "../../functions/_domain/task.ts";
import type { TestDatabase } from "../support/database.ts";
import * as line from "../support/line.ts";
import { type NativeDatabase, onNativePostgres, openNativeDatabase } from "../support/native.ts";

onNativePostgres("the size of the queue", () => {
  let native: NativeDatabase;
  let db: TestDatabase;
  beforeAll(async () => {
    native = await openNativeDatabase();
    db = native as unknown as TestDatabase;
    await line.activate(db);
  });
  afterAll(() => native?.close());

  /** Ready steps of tasks of their own, by SQL, and when they are due. */
  const put = (count: number, agentClass: string, after: string) =>
    db.owner(
      `with made as (
         insert into public.tasks (task_id, actor, goal, risk_tier, action, source, status)
         select 'T-2026-01-01-' || lpad(nextval('private.task_numbers')::text, 8, '0'), 'test', 'test', 'T0', 'READ', 'test', 'created'
         from generate_series(1, $1::int) g returning task_id)
       insert into public.task_steps (task_id, node_id, status, agent, agent_class, action, tier, run_at, input_hash)
       select task_id, 'act', 'ready', $2, $2, 'READ', 'T0', private.now() + $3::interval, repeat('a', 32) from made`,
      [count, agentClass, after],
    );

  /** Rows that one claim of ten reads of a table, by any index or by walking it. */
  const reads = () =>
    native.trial<{ relname: string; rows: number; walked: number }>(
      // What the session read before is counted until it is reported, hence the difference.
      `create temp table before as select relid, idx_tup_fetch, seq_tup_read from pg_stat_xact_all_tables;
       select api.claim_steps('test', 10, array['exec'])`,
      `select n.relname, (coalesce(n.idx_tup_fetch, 0) - coalesce(b.idx_tup_fetch, 0))::int as rows,
         (n.seq_tup_read - coalesce(b.seq_tup_read, 0))::int as walked
       from pg_stat_xact_all_tables n left join before b using (relid)
       where n.schemaname in ('public', 'private') and n.relname in ('ready_steps', 'task_steps', 'tasks') order by 1`,
    );

  it(
    "does not change what a claim reads: not what waits, nor what is planned for later, nor what is another's",
    async () => {
      await put(100, "exec", "-1 minute");
      const few = await reads();
      await put(4000, "exec", "0");
      await put(4000, "exec", "1 day");
      await put(4000, "communicator", "-1 hour");
      const many = await reads();
      expect(many).toEqual(few);
      expect(many.map(({ relname }) => relname)).toEqual(["ready_steps", "task_steps", "tasks"]);
      for (const { rows, walked } of many) {
        expect(walked).toBe(0);
        expect(rows).toBeLessThan(150);
      }
    },
    120_000,
  );

  it(
    "hands every step out once to sessions that claim and complete at the same time, without a deadlock",
    async () => {
      const sessions = Array.from({ length: 6 }, () => native.connect(1));
      const seen: string[] = [];
      const before = await db.owner<{ n: number }>(
        "select count(*)::int as n from private.ready_steps where agent_class = 'exec' and run_at <= private.now()",
      );
      await Promise.all(sessions.map(async (session, i) => {
        let results: unknown[] = [];
        for (;;) {
          const { answers, claimed } = await session.call<
            { answers: { refused?: string }[]; claimed: StepWork[] }
          >("complete_and_claim_steps", {
            p_results: results,
            p_policy_sha256: line.policySha256,
            p_worker: `w${i}`,
            p_limit: 100,
            p_agents: ["exec"],
          });
          expect(answers.filter(({ refused }) => refused)).toEqual([]);
          if (claimed.length === 0) return;
          seen.push(...claimed.map(({ step_id }) => step_id));
          // Batches in another order than they were handed out: locks are taken in one order all the same.
          results = claimed.map(({ step_id, attempt, lease_token }) => ({
            step_id,
            attempt,
            lease_token,
            result: {},
          })).reverse();
        }
      }));
      expect(seen).toHaveLength(before[0].n);
      expect(new Set(seen).size).toBe(seen.length);
      expect(
        await db.owner("select 1 from public.task_steps where status = 'running'"),
      ).toEqual([]);
    },
    120_000,
  );

  it("lets overlapping batches through in any order, each step done once", async () => {
    await put(60, "exec", "-1 minute");
    const work = await native.connect(1).call<StepWork[]>("claim_steps", {
      p_worker: "one",
      p_limit: 60,
      p_agents: ["exec"],
    });
    const results = work.map(({ step_id, attempt, lease_token }) => ({
      step_id,
      attempt,
      lease_token,
      result: {},
    }));
    const shuffled = () =>
      results.map((one) => [Math.random(), one] as const).sort((a, b) => a[0] - b[0]).map((
        [, one],
      ) => one);
    const answers = (await Promise.all(Array.from({ length: 8 }, () =>
      native.connect(1).call<{ refused?: string }[]>("complete_steps", {
        p_results: shuffled(),
        p_policy_sha256: line.policySha256,
      })))).flat();
    expect(answers.filter(({ refused }) =>
      refused === undefined
    )).toHaveLength(60);
    expect(answers.filter(({ refused }) =>
      refused === "stale_lease"
    )).toHaveLength(7 * 60);
  }, 120_000);
});
