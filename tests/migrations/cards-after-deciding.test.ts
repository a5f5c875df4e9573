import { beforeEach, describe, expect, it } from "vitest";
import {
  accept,
  alertEvent,
  claimPublish,
  confirm,
  decide,
  openCode,
  reserve,
  runToGate,
  secondFactor,
  signalAtGate,
  start,
} from "../support/line.ts";
import { db } from "./people.ts";
import { say } from "./stopping.ts";

interface Shown {
  status: string;
  task_status: string;
  held: string | null;
}

/** The cards of a task are delivered, so that what comes of it is an edit. */
async function delivered(taskId: string): Promise<string> {
  await db.owner(
    `update public.notifications set status = 'sent', sent_at = private.now(), message_id = '7'
     where task_id = $1 and kind = 'approval_card'`,
    [taskId],
  );
  return taskId;
}
/** What olga's card says by now. */
const shown = async (taskId: string): Promise<Shown> =>
  (await db.owner<Shown>(
    `select payload_json ->> 'status' as status, payload_json ->> 'task_status' as task_status,
       payload_json ->> 'held' as held
     from public.notifications where task_id = $1 and kind = 'card_result' and recipient = '1001' order by seq desc limit 1`,
    [taskId],
  ))[0];
const setStop = (scope: string, state: string) =>
  db.owner("update public.emergency_stops set state = $2 where scope = $1", [scope, state]);

async function tradeAtGate(): Promise<string> {
  const event = alertEvent(`trade ${Math.random()}`, { source: "desk", action: "TRADE" });
  const { task_id } = await accept(db, event);
  await runToGate(db);
  return await delivered(task_id as string);
}

beforeEach(() =>
  db.as("administrator", "select api.set_flag('t3_execution_enabled', false, 'test', 'cli:ada')")
);

describe("a card after its decision", () => {
  it("says that a stop holds it", async () => {
    const taskId = await delivered(await signalAtGate(db));
    await setStop("all", "stopped");
    const decided = await decide(db, "1005", await openCode(db, taskId));
    await setStop("all", "running");
    expect(decided).toMatchObject({ status: "approved" });
    expect(await shown(taskId)).toMatchObject({ status: "approved", held: "stopped" });
  });

  it.each([
    ["done", { status: "consumed", task_status: "publishing", held: null }],
    ["not-done", { status: "consumed", task_status: "failed", held: null }],
  ])("says that nobody saw the outcome, until somebody resolves it as %s", async (outcome, end) => {
    const taskId = await delivered(await signalAtGate(db));
    await decide(db, "1005", await openCode(db, taskId));
    expect(await shown(taskId)).toMatchObject({ status: "approved", held: null });
    const work = await claimPublish(db, taskId);
    const effect = (await reserve(db, work!)).effect_id as string;
    await start(db, effect, work!);
    await confirm(db, effect, work!, "unknown", { error: "no answer" });
    expect(await shown(taskId)).toEqual({
      status: "consumed",
      task_status: "paused",
      held: "effect_unknown",
    });
    await say("1001", { type: "resolve", effect, outcome, reason: null });
    expect(await shown(taskId)).toEqual(end);
  });
});

it("a card of T3 asks for a code whatever the policy says, as the decision does", async () => {
  await db.owner(
    `update public.policies set body = jsonb_set(body, '{second_factor,required}', '[]') where status = 'active'`,
  );
  const taskId = await tradeAtGate();
  const [card] = await db.owner<{ asked: boolean }>(
    `select (payload_json ->> 'second_factor')::boolean as asked from public.notifications
     where task_id = $1 and kind = 'approval_card' limit 1`,
    [taskId],
  );
  expect(card.asked).toBe(true);
});

// Last: what is let go would be picked up by the work of the others.
it("a card after its decision says that a switch holds it, and no longer once an owner turned it on", async () => {
  const taskId = await tradeAtGate();
  await decide(db, "1001", await openCode(db, taskId));
  expect(await shown(taskId)).toMatchObject({ status: "open", held: null });
  await decide(db, "1002", await openCode(db, taskId));
  expect(await shown(taskId)).toEqual({
    status: "approved",
    task_status: "pending_exec",
    held: "t3_execution_disabled",
  });
  const on = { second_factor: await secondFactor(db, "1002") };
  expect(await say("1002", { type: "t3", state: "on" }, on)).toMatchObject({ changed: true });
  expect(await shown(taskId)).toEqual({
    status: "approved",
    task_status: "running",
    held: null,
  });
});
