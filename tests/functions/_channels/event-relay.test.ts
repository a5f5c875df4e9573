import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { relayEvents, type RelayPass } from "../../../functions/_channels/event-relay.ts";
import { openRedis, type Redis } from "../../../functions/_channels/redis.ts";
import { type EventStream, redisStream } from "../../../functions/_channels/redis-stream.ts";
import { eventReader } from "../../../functions/_database/event-reader.ts";
import { lagOf, tell } from "../../support/bus.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { withRealRedis } from "../../support/redis.ts";

withRealRedis("the relay of the events to a Redis stream", () => {
  let server: RedisServer;
  let db: TestDatabase;
  let redis: Redis;
  let stream: EventStream;

  beforeAll(async () => {
    [server, db] = await Promise.all([RedisServer.start(), openTestDatabase()]);
  });
  afterAll(async () => {
    await db?.close();
    await server?.remove();
  });
  beforeEach(async () => {
    redis = openRedis({ url: server.url, now: Date.now, timeout_ms: 300, quiet_ms: 100 });
    stream = redisStream(redis);
    await settle();
  });
  afterEach(() => redis.close());

  const pass = (more: Partial<Parameters<typeof relayEvents>[0]> = {}): Promise<RelayPass> =>
    relayEvents({
      reader: eventReader(db.database, "redis-relay"),
      stream,
      redis,
      batch: 50,
      ...more,
    });
  /** Passes until there is nothing left to tell. */
  async function settle(): Promise<void> {
    for (let i = 0; i < 100; i++) {
      if ((await pass()).state === "idle") return;
    }
    throw new Error("the relay did not come to rest");
  }
  const entries = async (from = "-") => {
    const client = await server.client();
    return await client.xRange("dags:events", from, "+") ?? [];
  };
  const keysIn = async (from?: string) =>
    (await entries(from)).map(({ message }) => message.idempotency_key);

  it("tells each event once and in order, with what a reader needs to know it by", async () => {
    const keys = await tell(db, 120);
    await settle();
    expect(await keysIn()).toEqual(keys);
    const [{ message }] = await entries();
    expect(message).toEqual({
      event_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      event_type: "INCIDENT_RAISED",
      schema_version: "1.0",
      task_id: "",
      agent: "test",
      ts: expect.stringMatching(/Z$/),
      idempotency_key: keys[0],
      position: expect.stringMatching(/^0\.\d+\.\d+$/),
      payload: "{}",
    });
    expect(await pass()).toEqual({ state: "idle", relayed: 0 });
  });

  it("reads nothing while Redis is down, and tells all of it afterwards", async () => {
    await server.kill();
    const keys = await tell(db, 5);
    expect(await pass()).toEqual({ state: "down", relayed: 0 });
    const [{ leased }] = await db.owner<{ leased: boolean }>(
      "select lease_token is not null as leased from public.event_positions where consumer = 'redis-relay'",
    );
    expect(leased).toBe(false);
    expect((await lagOf(db, "redis-relay")).lag_rows).toBe(5);
    await server.start();
    await expect.poll(async () => (await pass()).state, { timeout: 5_000 }).toBe("relayed");
    expect((await keysIn()).slice(-5)).toEqual(keys);
    expect((await lagOf(db, "redis-relay")).lag_rows).toBe(0);
  });

  it("waits for nobody who is slow: the pass ends, the lag is seen, nothing is lost", async () => {
    const keys = await tell(db, 5);
    // Slow from the moment in which the batch is added, which is the worst one.
    const slow: EventStream = {
      ...stream,
      append: async (events) => {
        await server.pause(700);
        return await stream.append(events);
      },
    };
    const began = Date.now();
    expect(await pass({ stream: slow })).toEqual({ state: "down", relayed: 0 });
    expect(Date.now() - began).toBeLessThan(1_500);
    expect((await lagOf(db, "redis-relay")).lag_rows).toBe(5);
    await expect.poll(async () => (await pass()).state, { timeout: 5_000 }).toBe("relayed");
    const told = (await keysIn()).slice(-10);
    expect(new Set(told.slice(-5))).toEqual(new Set(keys));
  });

  it("tells a batch again that it may have told before it died, under the same event ids", async () => {
    const keys = await tell(db, 3);
    const dies: EventStream = {
      ...stream,
      append: async (events) => {
        await stream.append(events);
        return { ok: false, reason: "the connection broke before the answer" };
      },
    };
    expect(await pass({ stream: dies })).toEqual({ state: "down", relayed: 0 });
    await settle();
    const copies = (await entries()).filter(({ message }) =>
      keys.includes(message.idempotency_key)
    );
    expect(copies).toHaveLength(6);
    expect(new Set(copies.map(({ message }) => message.event_id)).size).toBe(3);
  });

  it("fills a flushed Redis again with what it had, and then goes on", async () => {
    const before = await tell(db, 12);
    await settle();
    await server.flush();
    const after = await tell(db, 2);
    expect(await pass({ refill: 10 })).toEqual({ state: "refilling", relayed: 0 });
    await settle();
    expect(await keysIn()).toEqual([...before.slice(-10), ...after]);
  });

  it("goes back to where an older Redis stands", async () => {
    const [first] = await tell(db, 1);
    await settle();
    const noted = await stream.noted();
    const later = await tell(db, 4);
    await settle();
    // As after a failover to a replica that lacked the end of it.
    const client = await server.client();
    const [{ id }] = (await entries()).filter(({ message }) => message.idempotency_key === first);
    const lost = (await entries(id)).map((entry) => entry.id).filter((entry) => entry !== id);
    await client.xDel("dags:events", lost);
    await client.set("dags:events:position", noted.ok && noted.value !== null ? noted.value : "");
    expect((await pass()).state).toBe("refilling");
    await settle();
    expect((await keysIn(id)).slice(1)).toEqual(later);
  });

  it("keeps about as many entries as it is told to", async () => {
    await tell(db, 400);
    const short = redisStream(redis, { keep: 100 });
    while ((await pass({ stream: short })).state !== "idle");
    const client = await server.client();
    expect(await client.xLen("dags:events")).toBeLessThan(300);
  });

  it("tells nothing while it is paused, and all of it when it goes on", async () => {
    const administer = (call: string) => db.as("administrator", `select api.${call}`);
    await administer("pause_consumer('redis-relay', 'test', 'a look')");
    const keys = await tell(db, 3);
    expect(await pass()).toEqual({ state: "paused", relayed: 0 });
    expect(await lagOf(db, "redis-relay")).toMatchObject({ status: "paused", lag_rows: 3 });
    await administer("resume_consumer('redis-relay', 'test')");
    await settle();
    expect((await keysIn()).slice(-3)).toEqual(keys);
  });

  it("is read by a group of 8, one of which dies: every event is handled, each once", async () => {
    const client = await server.client();
    await client.del("dags:events");
    await client.xGroupCreate("dags:events", "ledger", "$", { MKSTREAM: true });
    await db.as("administrator", "select api.add_consumer('ledger', 'now', 'test')");
    const keys = await tell(db, 160);
    await settle();
    const handled: string[] = [];
    const handle = async (event_id: string, key: string): Promise<boolean> => {
      const args = { p_consumer: "ledger", p_event_id: event_id };
      const taken = await db.database.call<{ outcome: string; lease_token: string }>(
        "take_event",
        args,
      );
      if (taken.outcome !== "handle") return true;
      handled.push(key);
      await db.database.call("finish_event", { ...args, p_lease_token: taken.lease_token });
      return true;
    };
    const workers = Array.from({ length: 8 }, async (_, n) => {
      const own = await server.client();
      for (;;) {
        const read = await own.xReadGroup("ledger", `reader-${n}`, {
          key: "dags:events",
          id: ">",
        }, { COUNT: 5 });
        const messages = read?.[0]?.messages ?? [];
        if (messages.length === 0) return;
        // One reader takes its first messages with it.
        if (n === 3) return;
        for (const { id, message } of messages) {
          await handle(message.event_id, message.idempotency_key);
          await own.xAck("dags:events", "ledger", id);
        }
      }
    });
    await Promise.all(workers);
    expect(handled.length).toBeLessThan(keys.length);
    const { messages } = await client.xAutoClaim("dags:events", "ledger", "reader-0", 0, "0");
    for (const found of messages) {
      if (found === null) continue;
      await handle(found.message.event_id, found.message.idempotency_key);
      await client.xAck("dags:events", "ledger", found.id);
      // A copy of what was handled is no second handling.
      await handle(found.message.event_id, found.message.idempotency_key);
    }
    expect([...handled].sort()).toEqual([...keys].sort());
    expect((await client.xPending("dags:events", "ledger")).pending).toBe(0);
    const [receipts] = await db.owner(
      "select sum(handed)::int as handed, sum(skipped)::int as skipped from public.consumer_receipts where consumer = 'ledger'",
    );
    expect(receipts).toEqual({ handed: 160, skipped: messages.length });
  });

  it("can be read on from any entry", async () => {
    await tell(db, 6);
    await settle();
    const all = await entries();
    const third = all.at(-4)!;
    const client = await server.client();
    const read = await client.xRead({ key: "dags:events", id: third.id }, { COUNT: 10 });
    expect(read?.[0]?.messages.map(({ id }) => id)).toEqual(all.slice(-3).map(({ id }) => id));
  });
});
