import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { stepPool, type StepPoolOptions } from "../../../scripts/worker/step-pool.ts";
import { orchestratorOf, readEvent } from "../../../scripts/faults/traffic.ts";
import type { Agent } from "../../../functions/_agents/agent.ts";
import type { Database } from "../../../functions/_database/database.ts";
import type { RefusalCode } from "../../../functions/_domain/refusal.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import * as line from "../../support/line.ts";
import { until } from "../../support/until.ts";

let db: TestDatabase;
let calls: string[] = [];
let tasks = 0;
beforeAll(async () => {
  db = await openTestDatabase();
  await line.activate(db);
});
afterAll(() => db.close());
beforeEach(() => {
  calls = [];
});

/** The real database, and which calls reached it; `during` goes on while one is under way. */
const counted = (during: (name: string) => void): Database => ({
  async call<T>(name: string, args?: Record<string, unknown>): Promise<T> {
    calls.push(name);
    const answer = db.database.call<T>(name, args);
    during(name);
    return await answer;
  },
  close: () => Promise.resolve(),
});

interface Around {
  concurrency?: number;
  during?: (name: string) => void;
  bundle?: () => Promise<RefusalCode | null>;
  retriever?: Agent;
}

function poolOf({ concurrency = 1, during = () => {}, bundle, retriever }: Around = {}) {
  const heard = { free: 0, more: 0 };
  const works = orchestratorOf(counted(during), "pool");
  const options: StepPoolOptions = {
    works: {
      ...works,
      bundle: bundle ?? works.bundle,
      agents: { ...works.agents, ...(retriever ? { retriever } : {}) },
    },
    concurrency,
    onFree: () => heard.free++,
    onMore: () => heard.more++,
    tell: (error) => {
      throw error;
    },
  };
  return { heard, ...stepPool(options) };
}

const accept = async () => String((await line.accept(db, readEvent(`pool ${tasks++}`))).task_id);
const count = (name: string) => calls.filter((one) => one === name).length;
const held = () =>
  db.owner<{ node_id: string }>("select node_id from public.task_steps where status = 'running'");

/** Tasks whose plan is made: each has one step that is ready, and its steps follow one after the other. */
async function planned(n: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < n; i++) ids.push(await accept());
  for (const work of await line.claim(db, ["planner"])) await line.plan(db, work);
  return ids;
}

async function workOff(pool: ReturnType<typeof poolOf>, ids: string[]): Promise<void> {
  await until("the tasks to be archived", async () => {
    await pool.pass();
    const states = await Promise.all(ids.map((id) => line.statusOf(db, id)));
    return states.every((state) => state === "archived");
  }, 30_000);
}

describe("the worker's pool", () => {
  it("claims nothing with a bundle that may not work, and hands in what it has", async () => {
    let refused: RefusalCode | null = null;
    const [id] = await planned(1);
    const pool = poolOf({
      bundle: () => Promise.resolve(refused),
      retriever: (work) => {
        refused = "policy_not_approved";
        return Promise.resolve(line.resultOf(work) as Awaited<ReturnType<Agent>>);
      },
    });
    expect(await pool.pass()).toBe(1);
    await until("the step to be handed in", () => pool.running() === 0);
    expect(calls.filter((name) => name !== "extend_lease")).toEqual([
      "claim_steps",
      "complete_steps",
    ]);
    expect(await pool.pass()).toBe(0);
    refused = null;
    await workOff(pool, [id]);
  });

  it("gets the next step with the call that hands in the last, while there is one", async () => {
    const ids = await planned(3);
    const pool = poolOf();
    await pool.pass();
    await until("its results", () => count("complete_and_claim_steps") >= 3);
    expect(count("claim_steps")).toBe(1);
    // Whoever got as much as it asked for says so each time: another worker may take the rest.
    expect(pool.heard.more).toBeGreaterThan(1);
    await workOff(pool, ids);
    expect(count("complete_steps")).toBe(0);
  });

  it("never has more in hand than its concurrency, and calls when a hand is free", async () => {
    const ids = await planned(6);
    const most = { held: 0 };
    const pool = poolOf({
      concurrency: 2,
      retriever: async (work) => {
        most.held = Math.max(most.held, (await held()).length);
        return line.resultOf(work) as Awaited<ReturnType<Agent>>;
      },
    });
    await workOff(pool, ids);
    expect(most.held).toBe(2);
    expect(pool.heard.free).toBeGreaterThan(0);
    expect(pool.heard.more).toBeGreaterThan(0);
  });

  it("gives back at once what a drain finds claimed with the last results", async () => {
    await planned(2);
    let ending: Promise<unknown> | null = null;
    const pool = poolOf({
      during: (name) => {
        if (name === "complete_and_claim_steps") ending ??= pool.drain(5_000);
      },
    });
    await pool.pass();
    await until("the drain to begin", () => ending !== null);
    expect(await ending).toMatchObject({ ended: 1 });
    expect(await held()).toEqual([]);
    expect(pool.running()).toBe(0);
    const [{ failures }] = await db.owner<{ failures: number }>(
      "select max(failures) as failures from public.task_steps",
    );
    expect(failures).toBe(0);
  });
});
