import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { household } from "../support/household.ts";
import {
  accept,
  alertEvent,
  claim,
  complete,
  fail,
  plan,
  resultOf,
  statusOf,
} from "../support/line.ts";
import { administer } from "../support/personas.ts";

let db: TestDatabase;
let clock: FrozenClock;
beforeAll(async () => {
  db = await openTestDatabase();
  await household(db);
  clock = await freezeClock(db, "2027-05-01T10:00:00.000Z");
});
afterAll(() => db.close());
beforeEach(async () => {
  await clock.advance(3600);
  await db.owner("update public.task_steps set run_at = 'infinity' where status = 'ready'");
});

async function atRetrieve(more: Record<string, unknown> = {}) {
  const event = alertEvent(`x ${Math.random()}`, { source: "desk", action: "READ", ...more });
  const { task_id } = await accept(db, event);
  for (const step of await claim(db, ["planner"])) await plan(db, step);
  return task_id as string;
}
const next = async (taskId: string) => (await claim(db)).find(({ task_id }) => task_id === taskId)!;
async function dies(taskId: string, codes = ["unavailable", "internal", "unavailable"]) {
  for (const [i, code] of codes.entries()) {
    await clock.advance(61);
    await fail(db, await next(taskId), code, {
      p_error: `said ${i + 1}`,
      p_tool: "chunks.search",
    });
  }
}
const letterOf = async (taskId: string) =>
  (await db.owner<Record<string, unknown>>(
    "select * from public.dead_letters where task_id = $1",
    [taskId],
  ))[0];
const resolve = (id: unknown, how: string, reason = "looked at") =>
  administer(db, "resolve_dead_letter($1, $2, $3, 'cli:ada')", [id, how, reason]);

describe("a step that is tried again", () => {
  it("pauses by chance, below a ceiling that doubles and ends at a minute", async () => {
    const rows = await db.owner<
      { n: number; ceiling: number; most: number; least: number; mean: number }
    >(
      `select n, private.retry_ceiling(n)::float8 as ceiling, max(p) as most, min(p) as least, avg(p) as mean
       from generate_series(1, 12) n cross join lateral (select extract(epoch from private.retry_pause(n + 0 * i))::float8 as p
         from generate_series(1, 400) i) pauses group by n order by n`,
    );
    expect(rows.map(({ ceiling }) => ceiling)).toEqual(
      [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60],
    );
    for (const { ceiling, most, least, mean } of rows) {
      expect(most).toBeLessThanOrEqual(ceiling);
      // Full jitter fills the whole room: anything else would bring those who failed together back together.
      expect(least).toBeLessThan(0.05 * ceiling);
      expect(most).toBeGreaterThan(0.95 * ceiling);
      expect(Math.abs(mean / ceiling - 0.5)).toBeLessThan(0.12);
    }
  });

  it("is given out three times in all, under one key", async () => {
    const taskId = await atRetrieve();
    const keys = new Set<string>();
    for (let i = 0; i < 3; i++) {
      await clock.advance(61);
      const work = await next(taskId);
      keys.add(work.input_hash!);
      await fail(db, work, "unavailable");
    }
    expect(keys.size).toBe(1);
    await clock.advance(61);
    expect(await next(taskId)).toBeUndefined();
    expect(await statusOf(db, taskId)).toBe("failed");
  });

  it("waits as long as a tool asked, and that is no failure", async () => {
    const taskId = await atRetrieve();
    const work = await next(taskId);
    await fail(db, work, "rate_limited", { p_tool: "quotes.read", p_retry_after: 77 });
    const [row] = await db.owner(
      "select failures, extract(epoch from run_at - private.now())::int as s from public.task_steps where step_id = $1",
      [work.step_id],
    );
    expect(row).toEqual({ failures: 0, s: 77 });
  });

  it("is not tried again for what a tool certainly refused, and is no dead letter then", async () => {
    const taskId = await atRetrieve();
    await fail(db, await next(taskId), "insufficient_data", { p_tool: "quotes.read" });
    expect(await statusOf(db, taskId)).toBe("rejected");
    expect(await letterOf(taskId)).toBeUndefined();
  });

  it("follows the rule of its tool before the rule for all", async () => {
    await db.owner(
      "insert into public.retry_rules (tool, code, outcome, why) values ('embed', 'internal', 'rejected', 'a test')",
    );
    const [mine, others] = [await atRetrieve(), await atRetrieve()];
    const steps = await claim(db);
    const of = (id: string) => steps.find(({ task_id }) => task_id === id)!;
    await fail(db, of(mine), "internal", { p_tool: "embed" });
    await fail(db, of(others), "internal", { p_tool: "chunks.search" });
    expect([await statusOf(db, mine), await statusOf(db, others)]).toEqual(["rejected", "running"]);
  });
});

describe("a step that fails for good by trying", () => {
  it("is a dead letter with what each attempt said, in order, and people are told", async () => {
    const taskId = await atRetrieve();
    await dies(taskId);
    const letter = await letterOf(taskId);
    expect(letter).toMatchObject({
      node_id: "retrieve",
      tool: "chunks.search",
      code: "unavailable",
      attempts: 3,
      resolution: null,
      errors: [
        { code: "unavailable", error: "said 1" },
        { code: "internal", error: "said 2" },
        { code: "unavailable", error: "said 3" },
      ],
    });
    expect(Number(letter.last_failed_at) - Number(letter.first_failed_at)).toBe(122_000);
    const rang = await db.owner(
      "select 1 from public.alerts where code = 'dead_letter' and task_id = $1 and closed_at is null",
      [taskId],
    );
    expect(rang).toHaveLength(1);
  });

  it("is one too where it takes its worker with it three times: nobody else can say so", async () => {
    const taskId = await atRetrieve();
    for (let i = 0; i < 3; i++) {
      await next(taskId);
      await clock.advance(31);
      await db.owner("select private.reap_leases()");
    }
    expect(await statusOf(db, taskId)).toBe("failed");
    const { errors } = await letterOf(taskId) as { errors: { error: string }[] };
    expect(errors.map(({ error }) => error)).toEqual([
      "the lease of attempt 1 was lost by test",
      "the lease of attempt 2 was lost by test",
      "the lease of attempt 3 was lost by test",
    ]);
  });

  it("keeps nobody else: its neighbours in the same batches are done", async () => {
    const [poison, ...others] = await Promise.all(Array.from({ length: 6 }, () => atRetrieve()));
    for (let round = 0; round < 40; round++) {
      await clock.advance(61);
      const work = await claim(db);
      for (const step of work) {
        if (step.task_id === poison && step.node_id === "retrieve") await fail(db, step);
        else if (!step.is_effect) await complete(db, step, resultOf(step));
      }
      if (work.length === 0) break;
    }
    expect(await letterOf(poison)).toBeDefined();
    for (const id of others) {
      const steps = await db.owner<{ status: string }>(
        "select status from public.task_steps where task_id = $1 and node_id = 'critic'",
        [id],
      );
      expect(steps).toEqual([{ status: "done" }]);
    }
  });

  it("is requeued as a new task of the same request, once, by somebody with a reason", async () => {
    const taskId = await atRetrieve();
    await dies(taskId);
    const { letter_id } = await letterOf(taskId);
    expect(await resolve(letter_id, "requeued", " ")).toMatchObject({ refused: "invalid_request" });
    expect(await resolve(letter_id, "burned")).toMatchObject({ refused: "invalid_request" });
    expect(await resolve("00000000-0000-4000-8000-000000000000", "dismissed")).toMatchObject({
      refused: "not_found",
    });
    const answer = await resolve(letter_id, "requeued");
    const [task] = await db.owner<Record<string, unknown>>(
      "select parent_task_id, actor, action, status from public.tasks where task_id = $1",
      [answer.next_task_id],
    );
    expect(task).toEqual({
      parent_task_id: taskId,
      actor: "tradingview:desk",
      action: "READ",
      status: "created",
    });
    expect(await resolve(letter_id, "dismissed")).toMatchObject({ refused: "illegal_transition" });
    const rang = await db.owner(
      "select 1 from public.alerts where code = 'dead_letter' and task_id = $1 and closed_at is null",
      [taskId],
    );
    expect(rang).toEqual([]);
  });

  it("is not requeued where money moves: that is asked for anew", async () => {
    const taskId = await atRetrieve({ action: "TRADE", payload: { account_id: "a" } });
    for (let i = 0; i < 3; i++) {
      await clock.advance(61);
      const steps = (await claim(db)).filter(({ task_id }) => task_id === taskId);
      for (const step of steps) await fail(db, step, "unavailable");
    }
    const { letter_id } = await letterOf(taskId);
    expect(await resolve(letter_id, "requeued")).toMatchObject({ refused: "forbidden" });
    expect(await resolve(letter_id, "dismissed")).toMatchObject({ resolution: "dismissed" });
  });

  it("is not rewritten or removed, and holds to its rules by itself", async () => {
    const [letter] = await db.owner<{ letter_id: string }>(
      "select letter_id from public.dead_letters where resolution is not null limit 1",
    );
    const id = [letter.letter_id];
    for (
      const statement of [
        "update public.dead_letters set errors = '[]' where letter_id = $1",
        "update public.dead_letters set resolved_by = 'eve' where letter_id = $1",
        "delete from public.dead_letters where letter_id = $1",
      ]
    ) await expect(db.owner(statement, id)).rejects.toMatchObject({ code: "AGHIS" });
    const taskId = await atRetrieve();
    await dies(taskId);
    await expect(
      db.owner("update public.dead_letters set resolved_by = 'eve' where task_id = $1", [taskId]),
    ).rejects.toMatchObject({ constraint: "resolved_by_somebody_with_a_reason" });
  });
});
