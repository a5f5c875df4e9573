import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import type { StepWork } from "../../functions/_domain/task.ts";
import { addConsumer, type BusEvent, read } from "../support/bus.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import * as line from "../support/line.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await line.activate(db);
  await line.addMember(db, "operator", "olga", "1001");
});
afterAll(() => db.close());

const consistency = readFileSync(
  new URL("../../docs/audit/dag_consistency.sql", import.meta.url),
  "utf8",
);

/** What a step ends as, told in any order and any number of times. */
async function shuffled(order: number[], early: number): Promise<void> {
  const { task_id } = await line.accept(db, line.alertEvent(`BUY BTCUSDT ${crypto.randomUUID()}`));
  const mine = (steps: StepWork[]) => steps.filter((step) => step.task_id === task_id);
  const told: StepWork[] = [];
  for (let round = 0; round < 12; round++) {
    const work = mine(
      await line.claim(db, ["planner", "researcher", "retriever", "trader", "critic"]),
    );
    if (work.length === 0) break;
    // The end of a step that nobody was given yet: there is no lease under which it could be told.
    const [waiting] = await db.owner<StepWork>(
      "select step_id, task_id, node_id, agent_class, 1 as attempt, gen_random_uuid() as lease_token, '[]'::jsonb as inputs, tier, '{}'::jsonb as task from public.task_steps where task_id = $1 and status = 'pending' order by node_id offset $2 limit 1",
      [task_id, early],
    );
    if (waiting) {
      expect(await line.complete(db, waiting, {})).toMatchObject([{ refused: "stale_lease" }]);
    }
    const copies = [...work, ...work, ...told].map((step, i) => ({
      step,
      at: order[i % order.length],
    }))
      .sort((a, b) => a.at - b.at).map(({ step }) => step);
    for (const step of copies) {
      if (step.agent_class === "planner") await line.plan(db, step);
      else await line.complete(db, step, line.resultOf(step));
    }
    told.push(...work);
  }
  expect(await line.statusOf(db, task_id as string)).toBe("awaiting_approval");
  expect(
    await db.owner(
      "select node_id from public.task_steps s where task_id = $1 and status = 'done' and (select count(*) from public.events e where e.task_id = s.task_id and e.type = 'STEP_DONE' and e.payload_json ->> 'node_id' = s.node_id) <> 1",
      [task_id],
    ),
  ).toEqual([]);
}

it(
  "leaves the graph of steps as it is when ends are told early, twice and in any order",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(1000), { minLength: 7, maxLength: 13 }),
        fc.nat(3),
        shuffled,
      ),
      { numRuns: 15, seed: 20261121 },
    );
    expect(await db.as("auditor", consistency)).toEqual([]);
  },
  120_000,
);

it("gives a consumer that takes events in any order, with copies, each of them once", async () => {
  await addConsumer(db, "any-order", "beginning");
  await addConsumer(db, "in-order", "beginning");
  const { events } = await read(db, "in-order", 200);
  const handled: string[] = [];
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray([...events, ...events]),
      async (deliveries: BusEvent[]) => {
        for (const { event_id } of deliveries) {
          const taken = await db.database.call<{ outcome: string; lease_token: string }>(
            "take_event",
            { p_consumer: "any-order", p_event_id: event_id },
          );
          if (taken.outcome !== "handle") continue;
          handled.push(event_id);
          await db.database.call("finish_event", {
            p_consumer: "any-order",
            p_event_id: event_id,
            p_lease_token: taken.lease_token,
          });
        }
      },
    ),
    { numRuns: 5, seed: 7 },
  );
  expect(new Set(handled).size).toBe(handled.length);
  expect(handled.length).toBeGreaterThan(100);
}, 60_000);
