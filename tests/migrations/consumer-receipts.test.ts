import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addConsumer, tell } from "../support/bus.ts";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";

let db: TestDatabase;
let clock: FrozenClock;
let event: string;

beforeAll(async () => {
  db = await openTestDatabase();
  clock = await freezeClock(db, "2027-05-01T10:00:00.000Z");
  await addConsumer(db, "ledger");
});
afterAll(() => db.close());
beforeEach(async () => {
  const [key] = await tell(db, 1);
  [{ event_id: event }] = await db.owner<{ event_id: string }>(
    "select event_id from public.events where idempotency_key = $1",
    [key],
  );
});

interface Taken {
  outcome?: string;
  refused?: string;
  consumed?: boolean;
  lease_token?: string;
  attempt?: number;
}
const take = (consumer = "ledger", id = event) =>
  db.database.call<Taken>("take_event", { p_consumer: consumer, p_event_id: id });
const finish = (token: string | undefined) =>
  db.database.call<{ refused?: string; consumed?: boolean }>("finish_event", {
    p_consumer: "ledger",
    p_event_id: event,
    p_lease_token: token ?? null,
  });
const plant = (columns: string, values: string) =>
  db.owner(
    `insert into public.consumer_receipts (consumer, event_id, ${columns}) values ('ledger', $1, ${values})`,
    [event],
  );

describe("a delivery that is refused", () => {
  it("is one to a consumer that nobody knows, or of an event that nobody told", async () => {
    expect(await take("stranger")).toMatchObject({ refused: "not_found" });
    expect(await take("ledger", crypto.randomUUID())).toMatchObject({ refused: "not_found" });
  });

  it("is finished under a lease that another delivery took over", async () => {
    const first = await take();
    await clock.advance(31);
    const second = await take();
    expect(second).toMatchObject({ outcome: "handle", attempt: 2 });
    expect(await finish(first.lease_token)).toMatchObject({ refused: "stale_lease" });
    expect(await finish(second.lease_token)).toEqual({ consumed: true });
  });
});

describe("a delivery", () => {
  it("is handled the first time, and skipped while that goes on", async () => {
    expect(await take()).toMatchObject({ outcome: "handle", attempt: 1 });
    expect(await take()).toEqual({ outcome: "skip", consumed: false });
  });

  it("of what was handled is skipped for ever", async () => {
    const { lease_token } = await take();
    await finish(lease_token);
    await clock.advance(86_400);
    expect(await take()).toEqual({ outcome: "skip", consumed: true });
  });

  it("of what was begun and never finished is handled again after 30 seconds, not before", async () => {
    await take();
    await clock.advance(29.9);
    expect(await take()).toMatchObject({ outcome: "skip" });
    await clock.advance(0.1);
    expect(await take()).toMatchObject({ outcome: "handle", attempt: 2 });
  });

  it("may be finished late where nobody else took it", async () => {
    const { lease_token } = await take();
    await clock.advance(300);
    expect(await finish(lease_token)).toEqual({ consumed: true });
  });

  it("is counted by each consumer for itself", async () => {
    await addConsumer(db, "mirror");
    await take();
    expect(await take("mirror")).toMatchObject({ outcome: "handle" });
  });
});

describe("by SQL, a receipt", () => {
  it("is not both consumed and leased", async () => {
    await expect(plant(
      "consumed_at, lease_token, lease_expires_at",
      "private.now(), gen_random_uuid(), private.now()",
    )).rejects.toThrow(/what_is_consumed_is_not_leased/);
  });

  it("has no lease without an end", async () => {
    await expect(plant("lease_token", "gen_random_uuid()")).rejects.toThrow(
      /leased_exactly_until_a_time/,
    );
  });

  it("is not taken back more often than it was handed out", async () => {
    await expect(plant("rewound", "2")).rejects.toThrow(/taken_back_less_often_than_handed_out/);
  });

  it("exists once per consumer and event", async () => {
    await plant("handed", "1");
    await expect(plant("handed", "1")).rejects.toThrow(/consumer_receipts_pkey/);
  });

  it("is written by no running function", async () => {
    await expect(db.as("service_role", "update public.consumer_receipts set consumed_at = null"))
      .rejects.toThrow(/permission denied/);
  });
});

describe("the retention job", () => {
  it("removes what was consumed 90 days ago, and never what is open", async () => {
    const { lease_token } = await take();
    await finish(lease_token);
    const [consumed] = [event];
    const [key] = await tell(db, 1);
    const [{ event_id: open }] = await db.owner<{ event_id: string }>(
      "select event_id from public.events where idempotency_key = $1",
      [key],
    );
    await take("ledger", open);
    const left = async () =>
      (await db.owner<{ event_id: string }>(
        "select event_id from public.consumer_receipts where event_id in ($1, $2)",
        [consumed, open],
      )).map(({ event_id }) => event_id).sort();
    await clock.advance(89 * 86_400);
    await db.owner("select private.prune_receipts()");
    expect(await left()).toEqual([consumed, open].sort());
    await clock.advance(2 * 86_400);
    await db.owner("select private.prune_receipts()");
    expect(await left()).toEqual([open]);
  });
});
