import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { household } from "../support/household.ts";
import * as line from "../support/line.ts";
import { administer } from "../support/personas.ts";
import * as trading from "../support/trading.ts";

let db: TestDatabase;
let clock: FrozenClock;
let accounts = 0;

beforeAll(async () => {
  db = await openTestDatabase();
  await household(db);
  await trading.switchOn(db);
  clock = await freezeClock(db, "2027-05-01T10:00:00.000Z");
});
afterAll(() => db.close());
beforeEach(async () => {
  await clock.advance(60);
  for (const tool of ["telegram.post", "broker.order", "quotes.read"]) await reset(tool);
  await tend(2);
  await db.owner("update public.task_steps set run_at = 'infinity' where status = 'ready'");
});

const trip = (tool: string) => administer(db, "trip_breaker($1, 'down', 'test')", [tool]);
const reset = (tool: string) => administer(db, "reset_breaker($1, 'mended', 'test')", [tool]);
/** The job, as often as it may let something go. */
async function tend(rounds = 1): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    await db.owner("select private.tend_breakers()");
    await clock.advance(5);
  }
}
const parked = (work: Parameters<typeof line.fail>[1], p_tool = "telegram.post") =>
  line.fail(db, work, "breaker_open", { p_tool, p_error: "It rests." });
const stepOf = async (id: string) =>
  (await db.owner<{ status: string; failures: number; seconds: number; last_code: string }>(
    `select status, failures, last_code, extract(epoch from run_at - private.now())::float8 as seconds
     from public.task_steps where step_id = $1`,
    [id],
  ))[0];
const queue = (where = "true") =>
  db.owner<{ task_id: string; step_id: string; outcome: string | null; order_key: string }>(
    `select * from public.fallback_queue where ${where} order by item_id`,
  );
const alerts = async (
  code: string,
  subject: string,
) => (await db.owner<{ closed_at: Date | null; seen: number }>(
  "select closed_at, seen from public.alerts where code = $1 and subject = $2 order by opened_at",
  [code, subject],
));
const leasedTrade = async () => {
  const id = `account-${++accounts}`;
  await trading.openAccount(db, id, { channel: "http-bridge" });
  await clock.advance(1);
  return { id, ...await trading.approved(db, trading.wanted(id)) };
};

describe("work whose tool is left alone", () => {
  it("waits in the fallback queue, and nothing of it is counted as a failure", async () => {
    await trip("telegram.post");
    const { taskId, work } = await line.approvedSignal(db);
    expect(await parked(work)).toMatchObject({ status: "ready", fallback: "queued" });
    expect(await stepOf(work.step_id)).toMatchObject({ status: "ready", failures: 0 });
    expect(await queue(`task_id = '${taskId}'`)).toMatchObject([{
      outcome: null,
      order_key: "publish",
    }]);
    // Whoever comes back on its own and finds the tool still away keeps its one place.
    await clock.advance(600);
    const again = await line.claimPublish(db, taskId);
    await parked(again!);
    expect(await queue(`task_id = '${taskId}'`)).toHaveLength(1);
    expect(await line.refusalsOf(db, taskId)).toEqual(["breaker_open"]);
  });

  it("goes on when the tool is back", async () => {
    await trip("telegram.post");
    const { taskId, work } = await line.approvedSignal(db);
    await parked(work);
    await clock.advance(10);
    expect(await line.claimPublish(db, taskId)).toBeNull();
    await reset("telegram.post");
    expect(await queue(`task_id = '${taskId}'`)).toMatchObject([{ outcome: "released" }]);
    const released = await line.claimPublish(db, taskId);
    expect(released).not.toBeNull();
    expect(await line.reserve(db, released!)).toMatchObject({ status: "reserved" });
  });

  it("goes on in the order in which it came, one a second of the same kind", async () => {
    await trip("telegram.post");
    const steps = [];
    for (let i = 0; i < 8; i++) {
      const { work } = await line.approvedSignal(db);
      await parked(work);
      steps.push(work.step_id);
      await clock.advance(1);
    }
    await reset("telegram.post");
    await tend(2);
    const rows = await db.owner<{ step_id: string; at: number }>(
      `select step_id, extract(epoch from run_at)::float8 as at from public.task_steps
       where step_id = any ($1) order by run_at`,
      [steps],
    );
    expect(rows.map(({ step_id }) => step_id)).toEqual(steps);
    rows.slice(1).forEach(({ at }, i) => expect(at - rows[i].at).toBeGreaterThanOrEqual(1));
  });

  it("keeps its place when the tool goes away once more before its turn", async () => {
    await trip("telegram.post");
    const works = [];
    for (let i = 0; i < 3; i++) {
      const { work, taskId } = await line.approvedSignal(db);
      await parked(work);
      works.push({ work, taskId });
    }
    await reset("telegram.post");
    const first = await line.claimPublish(db, works[0].taskId);
    await trip("telegram.post");
    await parked(first!);
    const open = await queue("drained_at is null and tool = 'telegram.post'");
    expect(open[0].step_id).toBe(works[0].work.step_id);
    await reset("telegram.post");
  });

  it("is woken one by one to ask whether the tool is back", async () => {
    await trip("telegram.post");
    const works = [];
    for (let i = 0; i < 3; i++) {
      const { work } = await line.approvedSignal(db);
      await parked(work);
      works.push(work);
    }
    await tend();
    expect((await stepOf(works[0].step_id)).seconds).toBeGreaterThan(100);
    await clock.advance(120);
    await tend();
    const due = await Promise.all(
      works.map(async ({ step_id }) => (await stepOf(step_id)).seconds),
    );
    expect(due[0]).toBeLessThanOrEqual(0);
    expect(Math.min(...due.slice(1))).toBeGreaterThan(100);
  });

  it("leaves the queue when it ends otherwise", async () => {
    await trip("telegram.post");
    const { taskId, work } = await line.approvedSignal(db);
    await parked(work);
    await db.owner("select private.end_task($1, 'failed', 'internal')", [taskId]);
    await tend();
    expect(await queue(`task_id = '${taskId}'`)).toMatchObject([{ outcome: "overtaken" }]);
  });

  it("waits without the queue where that is full, with an alert, and nothing is lost", async () => {
    await db.owner(
      "create or replace function private.fallback_bound() returns integer language sql immutable set search_path = '' as $$ select 1 $$",
    );
    await trip("telegram.post");
    const held = [];
    for (let i = 0; i < 3; i++) {
      const { work, taskId } = await line.approvedSignal(db);
      held.push({ work, taskId, answer: await parked(work) });
      await clock.advance(1);
    }
    expect(held.map(({ answer }) => answer.fallback)).toEqual(["queued", "parked", "parked"]);
    expect(await alerts("fallback_full", "tool:telegram.post")).toMatchObject([{
      closed_at: null,
      seen: 1,
    }]);
    await reset("telegram.post");
    expect((await alerts("fallback_full", "tool:telegram.post"))[0].closed_at).not.toBeNull();
    // In their order, by themselves.
    const [second, third] = await Promise.all(
      held.slice(1).map(({ work }) => stepOf(work.step_id)),
    );
    expect(second.seconds).toBeLessThan(third.seconds);
    await clock.advance(600);
    for (const { taskId } of held) expect(await line.claimPublish(db, taskId)).toBeDefined();
    await db.owner(
      "create or replace function private.fallback_bound() returns integer language sql immutable set search_path = '' as $$ select 10000 $$",
    );
  });

  it("waits without the queue where that cannot be written, with an alert", async () => {
    await trip("telegram.post");
    const { taskId, work } = await line.approvedSignal(db);
    await db.owner(
      "alter table public.fallback_queue add constraint is_down check (since < '2000-01-01') not valid",
    );
    expect(await parked(work)).toMatchObject({ status: "ready", fallback: "parked" });
    await db.owner("alter table public.fallback_queue drop constraint is_down");
    expect(await alerts("fallback_down", "tool:telegram.post")).toHaveLength(1);
    await clock.advance(600);
    expect(await line.claimPublish(db, taskId)).not.toBeNull();
  });
});

describe("a trade whose broker is left alone", () => {
  it("is pending_exec, with an alert and a message, and its approval stands", async () => {
    await trip("broker.order");
    const { taskId, work } = await leasedTrade();
    expect(await parked(work, "broker.order")).toMatchObject({ task_status: "pending_exec" });
    expect(await line.statusOf(db, taskId)).toBe("pending_exec");
    expect(await alerts("pending_exec", `task:${taskId}`)).toMatchObject([{ closed_at: null }]);
    const told = await db.owner(
      "select recipient from public.notifications where task_id = $1 and payload_json ->> 'code' = 'pending_exec'",
      [taskId],
    );
    expect(told.length).toBeGreaterThan(0);
    const [{ status }] = await db.owner<{ status: string }>(
      "select status from public.approval_requests where task_id = $1",
      [taskId],
    );
    expect(status).toBe("approved");
  });

  it("is let go when the broker is back, and the alert closes", async () => {
    await trip("broker.order");
    const { taskId, work } = await leasedTrade();
    await parked(work, "broker.order");
    await reset("broker.order");
    expect(await line.statusOf(db, taskId)).toBe("running");
    expect((await alerts("pending_exec", `task:${taskId}`))[0].closed_at).not.toBeNull();
    const again = (await line.claim(db, ["exec"])).find(({ task_id }) => task_id === taskId);
    await trading.quote(db, "100");
    expect(await trading.reserve(db, again!, { p_channel: "http-bridge" })).toMatchObject({
      status: "reserved",
    });
  });

  it("ends with its approval where the broker stays away too long", async () => {
    await trip("broker.order");
    const { taskId, work } = await leasedTrade();
    await parked(work, "broker.order");
    await clock.advance(3700);
    await db.owner("select private.expire_requests()");
    expect(await line.statusOf(db, taskId)).toBe("rejected");
    await reset("broker.order");
    await tend();
    expect(await line.statusOf(db, taskId)).toBe("rejected");
    expect((await alerts("pending_exec", `task:${taskId}`))[0].closed_at).not.toBeNull();
  });

  it("asks first when it came first, without leaving pending_exec", async () => {
    await trip("broker.order");
    const { taskId, work } = await leasedTrade();
    await parked(work, "broker.order");
    await clock.advance(120);
    await tend();
    const again = (await line.claim(db, ["exec"])).find(({ task_id }) => task_id === taskId);
    expect(again).toBeDefined();
    expect(await line.statusOf(db, taskId)).toBe("pending_exec");
    await trading.quote(db, "100");
    expect(await trading.reserve(db, again!, { p_channel: "http-bridge" })).toMatchObject({
      status: "reserved",
    });
    expect(await line.statusOf(db, taskId)).toBe("publishing");
  });
});
