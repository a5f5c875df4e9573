import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db.close());

const beat = (...p_beats: unknown[]) =>
  db.database.call<Record<string, unknown>>("beat", { p_worker: "w1", p_beats });
const rows = () =>
  db.owner<Record<string, unknown>>(
    "select * from public.agent_heartbeats where worker = 'w1' order by agent_class",
  );
const idle = { agent_class: "planner", status: "idle" };

it.each([
  ["a status that is none", { ...idle, status: "up" }],
  ["busy without a step", { ...idle, status: "busy" }],
  ["degraded without saying how", { ...idle, status: "degraded" }],
  ["a step that is no id", { ...idle, current_step_id: "x" }],
  ["an interval of nothing", { ...idle, interval_seconds: 0 }],
  ["an interval that is no whole number", { ...idle, interval_seconds: 1.5 }],
  ["a success that is neither yes nor no", { ...idle, succeeded: "perhaps" }],
  ["no class", { status: "idle" }],
  ["no object", "idle"],
])("refuses a beat with %s", async (_, wrong) => {
  expect(await beat(wrong)).toMatchObject({ refused: "invalid_request" });
  expect(await rows()).toEqual([]);
});

it("refuses two beats of one class, and a worker without a name", async () => {
  expect(await beat(idle, idle)).toMatchObject({ refused: "invalid_request" });
  const nameless = await db.database.call("beat", { p_worker: "", p_beats: [idle] });
  expect(nameless).toMatchObject({ refused: "invalid_request" });
});

it("keeps one row per worker and class, and what succeeded last", async () => {
  const step = randomUUID();
  const first = { ...idle, succeeded: true, dependency: "llm:small" };
  expect(await beat(first, { agent_class: "critic", status: "idle" })).toEqual({ beats: 2 });
  const before = await rows();
  expect(before.map(({ agent_class, status }) => [agent_class, status])).toEqual([
    ["critic", "idle"],
    ["planner", "idle"],
  ]);
  expect(before[0].last_success_at).toBeNull();
  await beat({
    agent_class: "planner",
    status: "busy",
    current_task_id: "T-2026-01-01-0001",
    current_step_id: step,
  });
  const [, planner] = await rows();
  expect(planner).toMatchObject({
    status: "busy",
    current_step_id: step,
    dependency: null,
    interval_seconds: 10,
    last_success_at: before[1].last_success_at,
    started_at: before[1].started_at,
  });
});

it("writes no audit row: these are measurements", async () => {
  const count = () => db.owner("select count(*) as n from public.audit_logs");
  const before = await count();
  await beat(idle);
  expect(await count()).toEqual(before);
});

it("forgets a worker that nobody heard of for seven days, and not one of yesterday", async () => {
  await db.database.call("beat", { p_worker: "gone", p_beats: [idle] });
  await db.owner(
    "update public.agent_heartbeats set beat_at = private.now() - case worker when 'gone' then interval '8 days' else interval '1 day' end",
  );
  await db.owner("update public.jobs set next_run_at = private.now()");
  expect(await db.database.call("sweep")).toMatchObject({ prune_heartbeats: 1 });
  const left = await db.owner("select distinct worker from public.agent_heartbeats");
  expect(left).toEqual([{ worker: "w1" }]);
});

it("holds the illegal row off by its constraints, whoever writes", async () => {
  const insert = (columns: string) =>
    db.owner(
      "insert into public.agent_heartbeats (worker, agent_class, started_at, beat_at, interval_seconds, status, failure_mode) " +
        `values ('w2', 'critic', private.now(), private.now(), 10, ${columns})`,
    );
  await expect(insert("'up', null")).rejects.toThrow("heartbeat_status_is_known");
  await expect(insert("'busy', null")).rejects.toThrow("busy_exactly_with_a_step");
  await expect(insert("'degraded', null")).rejects.toThrow(
    "a_failure_mode_is_named_when_not_well",
  );
});
