import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Database } from "../../../functions/_database/database.ts";
import { heartbeat } from "../../../functions/_database/heartbeat.ts";
import { DatabaseUnavailable } from "../../../functions/_database/trouble.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Beat = Record<string, unknown>;

function heart(answer: () => unknown = () => ({})) {
  const beats: Beat[][] = [];
  const database: Database = {
    call: (_, args) => {
      beats.push(args?.p_beats as Beat[]);
      return new Promise((resolve) => resolve(answer() as never));
    },
    close: () => Promise.resolve(),
  };
  const pulse = heartbeat({
    database,
    worker: "w",
    dependencies: { planner: null, critic: "llm:small" },
    now: () => new Date(),
  });
  const critic = () => beats.at(-1)!.find(({ agent_class }) => agent_class === "critic")!;
  return { ...pulse, beats, critic };
}
const step = { step_id: "s", task_id: "t", agent_class: "critic" };

it("beats at once and every ten seconds, however often it is begun, and ends", async () => {
  const { keep, beats } = heart();
  const [rest, second] = [await keep(), await keep()];
  second();
  await vi.advanceTimersByTimeAsync(30_000);
  rest();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(beats).toHaveLength(4);
});

it("says what each agent does, needs and last did well", async () => {
  const { keep, began, ended, critic } = heart();
  const rest = await keep();
  expect(critic()).toMatchObject({ status: "idle", dependency: "llm:small", succeeded: false });
  began(step);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(critic()).toMatchObject({
    status: "busy",
    current_step_id: "s",
    current_task_id: "t",
    succeeded: false,
  });
  ended(step, null);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(critic()).toMatchObject({ status: "idle", current_step_id: null, succeeded: true });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(critic()).toMatchObject({ succeeded: false });
  rest();
});

it.each([
  ["unavailable", "degraded"],
  ["internal", "degraded"],
  ["rate_limited", "rate_limited"],
])("shows %s as %s until something succeeds", async (code, status) => {
  const { keep, began, ended, critic } = heart();
  const rest = await keep();
  began(step);
  ended(step, code);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(critic()).toMatchObject({ status, failure_mode: code });
  began(step);
  ended(step, null);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(critic()).toMatchObject({ status: "idle", failure_mode: null, succeeded: true });
  rest();
});

it("takes a refusal of the work for an agent that works, and a lost lease for nothing", async () => {
  const { keep, began, ended, critic } = heart();
  const rest = await keep();
  began(step);
  ended(step, "stale_lease");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(critic()).toMatchObject({ status: "idle", succeeded: false });
  began(step);
  ended(step, "insufficient_data");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(critic()).toMatchObject({ status: "idle", failure_mode: null, succeeded: true });
  rest();
});

it("hears of what is no step, and of no agent that it does not have", async () => {
  const { keep, noted, began, ended, critic } = heart();
  const rest = await keep();
  noted("critic", "unavailable");
  noted("stranger", "unavailable");
  began({ ...step, agent_class: "stranger" });
  ended({ ...step, agent_class: "stranger" }, null);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(critic()).toMatchObject({ status: "degraded", failure_mode: "unavailable" });
  rest();
});

it("goes on while the database is away", async () => {
  const { keep, beats } = heart(() => {
    throw new DatabaseUnavailable("not_done", "away");
  });
  const rest = await keep();
  await vi.advanceTimersByTimeAsync(20_000);
  rest();
  expect(beats).toHaveLength(3);
});
