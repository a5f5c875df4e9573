import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ack, addConsumer, drain, lagOf, read, tell } from "../support/bus.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";
import { household } from "../support/household.ts";
import { accept, alertEvent, claim } from "../support/line.ts";
import { administer } from "../support/personas.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await openTestDatabase();
  await household(db);
  await addConsumer(db, "ledger");
});
afterAll(() => db.close());

type Answer = { refused?: string; paused?: boolean; changed?: boolean };
const pause = (consumer: string, actor: string, reason = "it double-counts") =>
  db.database.call<Answer>("pause_consumer", {
    p_consumer: consumer,
    p_actor: actor,
    p_reason: reason,
  });
const resume = (consumer: string, actor: string) =>
  db.database.call<Answer>("resume_consumer", { p_consumer: consumer, p_actor: actor });
const trail = (consumer: string) =>
  db.owner<{ actor: string; action: string }>(
    "select actor, action from public.audit_logs where object = $1 and outcome = 'done' and action like 'consumer.%e' order by id",
    [`consumer:${consumer}`],
  );

describe("a pause or a resume that is refused", () => {
  it.each([
    ["a reviewer", "rita", "wrong_role"],
    ["a stranger", "telegram:999", "not_a_member"],
    ["a machine", "cli:jane", "not_a_member"],
    ["nobody", " ", "invalid_request"],
  ])("is asked for through a function by %s", async (_, actor, code) => {
    expect(await pause("ledger", actor)).toMatchObject({ refused: code });
    expect(await resume("ledger", actor)).toMatchObject({ refused: code });
  });

  it("is one of a consumer that nobody knows, or a pause without a reason", async () => {
    expect(await pause("stranger", "olga")).toMatchObject({ refused: "not_found" });
    expect(await pause("ledger", "olga", "  ")).toMatchObject({ refused: "invalid_request" });
  });

  it("is asked for by somebody who is no member any more", async () => {
    await administer(db, "remove_member($1, 'test')", ["pia"]);
    expect(await pause("ledger", "pia")).toMatchObject({ refused: "not_a_member" });
  });
});

describe("a paused consumer", () => {
  it("is on record with who and why, once, however often it is asked for", async () => {
    expect(await pause("ledger", "telegram:1001")).toMatchObject({ paused: true, changed: true });
    expect(await pause("ledger", "oskar")).toMatchObject({ paused: true, changed: false });
    expect(await resume("ledger", "oskar")).toMatchObject({ paused: false, changed: true });
    expect(await resume("ledger", "oskar")).toMatchObject({ paused: false, changed: false });
    expect(await trail("ledger")).toEqual([
      { actor: "telegram:1001", action: "consumer.pause" },
      { actor: "oskar", action: "consumer.resume" },
    ]);
  });

  it("is paused by the administrator in anybody's name", async () => {
    expect(await administer(db, "pause_consumer('ledger', 'cli:jane', 'a look')")).toMatchObject({
      paused: true,
    });
    expect(await administer(db, "resume_consumer('ledger', 'cli:jane')")).toMatchObject({
      paused: false,
    });
  });

  it("is handed nothing, keeps what it holds, and its lag grows until it goes on", async () => {
    await drain(db, "ledger");
    const held = await tell(db, 2);
    const batch = await read(db, "ledger");
    await pause("ledger", "olga");
    expect(await ack(db, "ledger", batch)).toMatchObject({ handled: held.length });
    const [first] = await tell(db, 1);
    expect(await read(db, "ledger")).toMatchObject({ paused: true, events: [] });
    expect(await lagOf(db, "ledger")).toMatchObject({ status: "paused", lag_rows: 1 });
    const more = await tell(db, 4);
    const lag = await lagOf(db, "ledger");
    expect(lag.lag_rows).toBe(5);
    expect(lag.lag_seconds).toBeGreaterThan(0);
    const [{ event_id }] = await db.owner<{ event_id: string }>(
      "select event_id from public.events where idempotency_key = $1",
      [first],
    );
    expect(
      await db.database.call("take_event", { p_consumer: "ledger", p_event_id: event_id }),
    ).toEqual({ outcome: "paused" });
    await resume("ledger", "olga");
    expect(await drain(db, "ledger")).toEqual([first, ...more]);
  });

  it("that is the communicator tells nobody anything until it goes on", async () => {
    await db.owner("select private.announce('{\"topic\":\"alert\"}', array['owner'])");
    const claim = () =>
      db.database.call<unknown[]>("claim_notifications", { p_worker: "test", p_limit: 10 });
    await pause("communicator", "olga");
    expect(await claim()).toEqual([]);
    const { lag_rows, status } = await lagOf(db, "communicator");
    expect({ lag: (lag_rows ?? 0) > 0, status }).toEqual({ lag: true, status: "paused" });
    await resume("communicator", "olga");
    expect((await claim()).length).toBeGreaterThan(0);
  });

  it("that is the orchestrator is handed no step until it goes on, and its lag says how many wait", async () => {
    await accept(db, alertEvent("BUY BTCUSDT"));
    await pause("orchestrator", "olga");
    expect(await claim(db)).toEqual([]);
    const { lag_rows, status } = await lagOf(db, "orchestrator");
    expect({ lag: (lag_rows ?? 0) > 0, status }).toEqual({ lag: true, status: "paused" });
    await resume("orchestrator", "olga");
    expect((await claim(db)).length).toBeGreaterThan(0);
  });
});

describe("by SQL, a consumer", () => {
  it.each([
    "paused = true",
    "paused = true, paused_by = 'x', paused_at = private.now()",
    "pause_reason = 'x'",
  ])("is not half paused: %s", async (change) => {
    await expect(db.owner(`update public.event_consumers set ${change} where consumer = 'ledger'`))
      .rejects.toThrow(/paused_exactly_when_somebody_did/);
  });
});
