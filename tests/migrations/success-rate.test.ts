import { afterAll, beforeAll, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import {
  accept,
  activate,
  addMember,
  alertEvent,
  archivedSignal,
  decide,
  marks,
  openCode,
  runToGate,
  signalAtGate,
  statusOf,
} from "../support/line.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await activate(db);
  await addMember(db, "operator", "olga", "1001");
});
afterAll(() => db.close());

const successRate = async () =>
  (await db.as<Record<string, unknown>>(
    "auditor",
    `select value::text, samples::int, status from public.kpi_current where kpi = 'success_rate' and "window" = '1 h'`,
  ))[0];

it("the success rate is unknown while people and the critic have only turned things down", async () => {
  const rejected = await signalAtGate(db);
  await decide(db, "1001", await openCode(db, rejected), "reject");
  const { task_id } = await accept(db, alertEvent("BUY WEAKUSDT"));
  await runToGate(db, { ...marks, factuality: 0 });
  expect([await statusOf(db, rejected), await statusOf(db, task_id as string)]).toEqual([
    "rejected",
    "rejected",
  ]);
  expect(await successRate()).toEqual({ value: null, samples: 0, status: "unknown" });
});

it("the success rate is archived over archived and failed, undone since or not", async () => {
  await archivedSignal(db);
  expect(await successRate()).toMatchObject({ samples: 1, status: "met" });
  const failed = await signalAtGate(db);
  await db.owner("select private.end_task($1, 'failed', 'internal')", [failed]);
  expect(await successRate()).toEqual({ value: "0.500000", samples: 2, status: "missed" });
  await db.owner("update public.tasks set status = 'rolled_back' where task_id = $1", [failed]);
  expect(await successRate()).toEqual({ value: "0.500000", samples: 2, status: "missed" });
});
