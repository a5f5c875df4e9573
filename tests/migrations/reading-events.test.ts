import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ack, addConsumer, drain, lagOf, read, tell } from "../support/bus.ts";
import { freezeClock, type FrozenClock } from "../support/clock.ts";
import { openTestDatabase, type TestDatabase } from "../support/database.ts";

let db: TestDatabase;
let clock: FrozenClock;
let consumer: string;
let consumers = 0;

beforeAll(async () => {
  db = await openTestDatabase();
  clock = await freezeClock(db, "2027-05-01T10:00:00.000Z");
});
afterAll(() => db.close());
beforeEach(async () => {
  consumer = `reader-${++consumers}`;
  await addConsumer(db, consumer);
});

const keysOf = ({ events }: { events: { idempotency_key: string }[] }) =>
  events.map(({ idempotency_key }) => idempotency_key);
const rewind = (args: Record<string, unknown>) =>
  db.database.call<{ refused?: string; taken_back?: number }>("rewind_consumer", {
    p_consumer: consumer,
    p_position: null,
    p_back: null,
    p_actor: "test",
    ...args,
  });

describe("a reader that is refused", () => {
  it("is one that nobody added", async () => {
    expect(await read(db, "stranger")).toMatchObject({ refused: "not_found" });
  });

  it("acknowledges under a lease that another reading took over", async () => {
    await tell(db, 2);
    const first = await read(db, consumer);
    await clock.advance(31);
    const second = await read(db, consumer);
    expect(keysOf(second)).toEqual(keysOf(first));
    expect(await ack(db, consumer, first)).toMatchObject({ refused: "stale_lease" });
    expect(await ack(db, consumer, second)).toMatchObject({ handled: 2 });
  });

  it("acknowledges a batch twice", async () => {
    await tell(db, 1);
    const batch = await read(db, consumer);
    await ack(db, consumer, batch);
    expect(await ack(db, consumer, batch)).toMatchObject({ refused: "stale_lease" });
  });

  it("says that fewer than none were handled", async () => {
    await tell(db, 1);
    const batch = await read(db, consumer);
    expect(await ack(db, consumer, batch, -1)).toMatchObject({ refused: "invalid_request" });
  });

  it("is added under a worker's name, from nowhere, or under a name that is none", async () => {
    for (const [name, from] of [["orchestrator", "now"], ["fresh", "then"], ["Nö", "now"]]) {
      expect(await addConsumer(db, name, from), name).toMatchObject({ refused: "invalid_request" });
    }
  });

  it("goes forward, or back both ways at once", async () => {
    await tell(db, 1);
    const ahead = (await addConsumer(db, `${consumer}-later`)).position;
    for (const args of [{ p_position: ahead }, { p_position: "0.0.0", p_back: 1 }, {}]) {
      expect(await rewind(args)).toMatchObject({ refused: "invalid_request" });
    }
  });

  it("cannot be made by a running function", async () => {
    await expect(db.database.call("add_consumer", { p_consumer: "x", p_from: "now", p_actor: "x" }))
      .rejects.toThrow(/permission denied/);
  });
});

describe("a reader", () => {
  it("gets what was told after it was added, in order, once", async () => {
    const keys = await tell(db, 25);
    expect(await drain(db, consumer, 10)).toEqual(keys);
    expect(await drain(db, consumer, 10)).toEqual([]);
  });

  it("that begins at the beginning gets what was told before", async () => {
    const keys = await tell(db, 3);
    await addConsumer(db, `${consumer}-first`, "beginning");
    expect((await drain(db, `${consumer}-first`)).slice(-3)).toEqual(keys);
  });

  it("is alone: a second reading under the same name gets nothing while the first holds its lease", async () => {
    await tell(db, 2);
    await read(db, consumer);
    expect(await read(db, consumer)).toMatchObject({
      events: [],
      leased_until: expect.any(String),
    });
  });

  it("gets again what it did not answer for, and the receipt counts it", async () => {
    const keys = await tell(db, 3);
    await read(db, consumer);
    await clock.advance(31);
    const again = await read(db, consumer);
    expect(keysOf(again)).toEqual(keys);
    expect(again.events.map(({ deliveries }) => deliveries)).toEqual([2, 2, 2]);
  });

  it("that handled two of three gets the third at once, and only that", async () => {
    const keys = await tell(db, 3);
    await ack(db, consumer, await read(db, consumer), 2);
    expect(keysOf(await read(db, consumer))).toEqual(keys.slice(2));
  });

  it("that handled none of them gives them back", async () => {
    const keys = await tell(db, 2);
    expect(await ack(db, consumer, await read(db, consumer), 0)).toMatchObject({ handled: 0 });
    expect(keysOf(await read(db, consumer))).toEqual(keys);
  });

  it("is not given what it took and finished by itself, and waits for what it holds", async () => {
    const keys = await tell(db, 4);
    const ids = await Promise.all(keys.map(async (key) =>
      (await db.owner<{ event_id: string }>(
        "select event_id from public.events where idempotency_key = $1",
        [key],
      ))[0].event_id
    ));
    const take = (i: number) =>
      db.database.call<{ lease_token: string }>("take_event", {
        p_consumer: consumer,
        p_event_id: ids[i],
      });
    const finish = (i: number, lease_token: string) =>
      db.database.call("finish_event", {
        p_consumer: consumer,
        p_event_id: ids[i],
        p_lease_token: lease_token,
      });
    await finish(0, (await take(0)).lease_token);
    const held = await take(2);
    const batch = await read(db, consumer);
    expect(keysOf(batch)).toEqual([keys[1]]);
    await ack(db, consumer, batch);
    expect(keysOf(await read(db, consumer))).toEqual([]);
    await finish(2, held.lease_token);
    expect(await drain(db, consumer)).toEqual([keys[3]]);
  });

  it("goes on where it is sent back to, and that is no repeated execution", async () => {
    const keys = await tell(db, 6);
    const batch = await read(db, consumer);
    await ack(db, consumer, batch);
    expect(await rewind({ p_position: batch.events[1].position })).toMatchObject({ taken_back: 4 });
    expect(await drain(db, consumer)).toEqual(keys.slice(2));
    expect(await rewind({ p_back: 3 })).toMatchObject({ taken_back: 3 });
    expect(await drain(db, consumer)).toEqual(keys.slice(3));
    const [{ repeats }] = await db.owner<{ repeats: number }>(
      "select sum(greatest(handed - rewound - 1, 0))::int as repeats from public.consumer_receipts where consumer = $1",
      [consumer],
    );
    expect(repeats).toBe(0);
  });

  it("is told in the audit log when somebody sends it back", async () => {
    await tell(db, 1);
    await drain(db, consumer);
    await rewind({ p_back: 1 });
    expect(
      await db.owner(
        "select actor, after_json ->> 'taken_back' as n from public.audit_logs where action = 'consumer.rewind' and object = $1",
        [`consumer:${consumer}`],
      ),
    ).toEqual([{ actor: "test", n: "1" }]);
  });
});

describe("events that were restored from another server's dump", () => {
  // Its transactions had higher numbers than this server will give for a long time.
  const restored = async (count: number, from: number): Promise<string[]> => {
    const keys = Array.from({ length: count }, (_, i) => `restored:${consumer}:${i}`);
    for (const [i, key] of keys.entries()) {
      await db.owner(
        `insert into public.events (type, incident_id, agent, idempotency_key, written_by)
         values ('INCIDENT_RAISED', gen_random_uuid(), 'test', $1, $2::text::xid8)`,
        [key, String(from + i)],
      );
    }
    return keys;
  };

  it("are read, and so is what this server tells after them", async () => {
    const before = await restored(3, 900_000_000);
    expect(await drain(db, consumer, 2)).toEqual(before);
    const after = await tell(db, 3);
    expect(await drain(db, consumer, 2)).toEqual(after);
  });

  it("are not passed over when a second restore has smaller numbers", async () => {
    const first = await restored(2, 900_000_100);
    await read(db, consumer);
    const between = await tell(db, 2);
    await clock.advance(31);
    expect(await drain(db, consumer, 1)).toEqual([...first, ...between]);
    consumer = `${consumer}-again`;
    await addConsumer(db, consumer);
    const second = await restored(2, 800_000_000);
    expect(await drain(db, consumer, 1)).toEqual(second);
    expect((await db.owner("select 1 from public.event_generations")).length)
      .toBeGreaterThanOrEqual(3);
  });
});

describe("the lag of a reader", () => {
  it("is unknown until it has read once", async () => {
    await tell(db, 2);
    expect(await lagOf(db, consumer)).toMatchObject({
      status: "unknown",
      lag_rows: null,
      lag_seconds: null,
      duplicate_rate: null,
    });
  });

  it("counts what is told and not answered for, and falls to nothing", async () => {
    await read(db, consumer);
    await tell(db, 7);
    expect(await lagOf(db, consumer)).toMatchObject({ status: "behind", lag_rows: 7 });
    await drain(db, consumer);
    expect(await lagOf(db, consumer)).toMatchObject({
      status: "caught_up",
      lag_rows: 0,
      lag_seconds: 0,
    });
  });
});
