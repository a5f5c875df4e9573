import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { openRedis, type Redis } from "../../../functions/_channels/redis.ts";
import { redisLimiter } from "../../../functions/_channels/redis-limiter.ts";
import { redisMemory } from "../../../functions/_channels/redis-memory.ts";
import { databaseMemory } from "../../../functions/_database/working-memory.ts";
import type { Limiter } from "../../../functions/_domain/limiter.ts";
import type { WorkingMemory } from "../../../functions/_domain/working-memory.ts";
import { openTestDatabase, type TestDatabase } from "../../support/database.ts";
import { accept, activate, alertEvent } from "../../support/line.ts";
import { RedisServer } from "../../support/redis-server.ts";
import { withRealRedis } from "../../support/redis.ts";

const open: Redis[] = [];
const link = (url: string, timeout_ms = 500): Redis => {
  const redis = openRedis({ url, now: Date.now, timeout_ms, quiet_ms: 200 });
  open.push(redis);
  return redis;
};
afterEach(() => open.splice(0).forEach((redis) => redis.close()));

const timed = async <T>(work: Promise<T>): Promise<{ value: T; ms: number }> => {
  const began = Date.now();
  return { value: await work, ms: Date.now() - began };
};

withRealRedis("a connection to Redis", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server?.remove());

  it("that nobody answers is down, soon, and never throws", async () => {
    const redis = link("redis://127.0.0.1:1");
    const { value, ms } = await timed(redis.run((client) => client.ping()));
    expect(value).toMatchObject({ ok: false, reason: expect.any(String) });
    expect(ms).toBeLessThan(1_500);
    expect(await redis.check()).toBe("down");
    expect(redis.trouble()).not.toBeNull();
  });

  it("that is refused what it asks for says why, and stays up", async () => {
    const redis = link(server.url);
    await redis.run((client) => client.set("text", "x"));
    expect(await redis.run((client) => client.lPush("text", "y"))).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/WRONGTYPE/),
    });
    expect(await redis.check()).toBe("up");
  });

  it("that is not answered in time gives up, asks nobody for a while, and comes back by itself", async () => {
    const redis = link(server.url, 150);
    expect(await redis.check()).toBe("up");
    await server.pause(1_200);
    const late = await timed(redis.run((client) => client.get("x")));
    expect([late.value.ok, late.ms < 600]).toEqual([false, true]);
    const quiet = await timed(Promise.all(
      Array.from({ length: 50 }, () => redis.run((client) => client.get("x"))),
    ));
    expect(quiet.value.every(({ ok }) => !ok)).toBe(true);
    expect(quiet.ms).toBeLessThan(100);
    await expect.poll(() => redis.check(), { timeout: 6_000, interval: 100 }).toBe("up");
  });

  it("that is lost comes back with the server", async () => {
    const redis = link(server.url);
    expect(await redis.check()).toBe("up");
    await server.kill();
    expect(await redis.check()).toBe("down");
    await server.start();
    await expect.poll(() => redis.check(), { timeout: 6_000, interval: 100 }).toBe("up");
  });

  it("that was closed asks nobody", async () => {
    const redis = link(server.url);
    redis.close();
    expect(await redis.check()).toBe("down");
  });
});

withRealRedis("a limit that Redis counts", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server?.remove());

  const limiters = (count: number): Limiter[] =>
    Array.from({ length: count }, () => redisLimiter(link(server.url, 5_000)));

  it("admits exactly its number of 1,000 calls that arrive together over 8 connections", async () => {
    const asked = limiters(8);
    // One a minute: none comes back while the test runs.
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => asked[i % 8].take("storm", 1, 100)),
    );
    expect(answers.filter((answer) => answer === "taken")).toHaveLength(100);
    expect(answers.filter((answer) => answer === "unknown")).toEqual([]);
  });

  it("says how long to wait, and lets through again after that", async () => {
    const [limiter] = limiters(1);
    expect(await limiter.take("slow", 60, 1)).toBe("taken");
    expect(await limiter.take("slow", 60, 1)).toEqual({ wait: 1 });
    await sleep(1_050);
    expect(await limiter.take("slow", 60, 1)).toBe("taken");
  });

  it("counts each bucket by itself, and forgets one that is full again", async () => {
    const [limiter] = limiters(1);
    await limiter.take("first", 60_000, 1);
    expect(await limiter.take("second", 60_000, 1)).toBe("taken");
    const client = await server.client();
    expect(await client.pTTL("dags:bucket:first")).toBeGreaterThan(0);
  });

  it("is unknown when the server is paused or gone, and full when it was flushed", async () => {
    const limiter = redisLimiter(link(server.url));
    expect(await limiter.take("lost", 1, 1)).toBe("taken");
    expect(await limiter.take("lost", 1, 1)).toEqual({ wait: 60 });
    await server.flush();
    expect(await limiter.take("lost", 1, 1)).toBe("taken");
    await server.pause(800);
    expect(await limiter.take("lost", 1, 1)).toBe("unknown");
    await server.kill();
    await sleep(300);
    expect(await limiter.take("lost", 1, 1)).toBe("unknown");
    await server.start();
  });
});

withRealRedis("the short-term memory with a copy in Redis", () => {
  let server: RedisServer;
  let db: TestDatabase;
  let task_id: string;
  let truth: WorkingMemory;
  let asked: string[] = [];
  beforeAll(async () => {
    [server, db] = await Promise.all([RedisServer.start(), openTestDatabase()]);
    await activate(db);
    ({ task_id } = await accept(db, alertEvent("BUY BTCUSDT")) as { task_id: string });
    const kept = databaseMemory(db.database, "test");
    truth = { ...kept, recall: (key) => (asked.push(key), kept.recall(key)) };
  });
  afterEach(() => {
    asked = [];
  });
  afterAll(async () => {
    await db?.close();
    await server?.remove();
  });
  const memory = (timeout_ms = 500) => redisMemory(link(server.url, timeout_ms), truth);

  it("answers from the copy, which ends when the original does", async () => {
    const both = memory();
    await both.remember({ key: "copied", task_id, value: { a: 1 }, hours: 1 });
    expect((await both.recall("copied"))?.value).toEqual({ a: 1 });
    expect(asked).toEqual([]);
    const client = await server.client();
    const left = await client.pTTL("dags:memory:copied");
    expect(left).toBeGreaterThan(23.9 * 3_600_000);
    expect(left).toBeLessThanOrEqual(24 * 3_600_000);
  });

  it("makes a flushed copy anew from the database", async () => {
    const both = memory();
    await both.remember({ key: "flushed", task_id, value: { a: 2 } });
    await server.flush();
    expect((await both.recall("flushed"))?.value).toEqual({ a: 2 });
    expect(asked).toEqual(["flushed"]);
    expect((await both.recall("flushed"))?.value).toEqual({ a: 2 });
    expect(asked).toEqual(["flushed"]);
  });

  it("keeps and finds everything while Redis is down or slow", async () => {
    const both = memory(150);
    await server.pause(600);
    await both.remember({ key: "slow", task_id, value: { a: 3 } });
    expect((await both.recall("slow"))?.value).toEqual({ a: 3 });
    await server.kill();
    await both.remember({ key: "down", task_id, value: { a: 4 } });
    expect((await both.recall("down"))?.value).toEqual({ a: 4 });
    await server.start();
  });

  it("does not believe a copy that is not one", async () => {
    const both = memory();
    await both.remember({ key: "broken", task_id, value: { a: 5 } });
    const client = await server.client();
    for (const text of ["nonsense", "{}", '{"key":"other","value":1}']) {
      await client.set("dags:memory:broken", text);
      expect((await both.recall("broken"))?.value, text).toEqual({ a: 5 });
    }
  });

  it("forgets in both, and says when it could not", async () => {
    const both = memory(150);
    await both.remember({ key: "gone", task_id, value: { a: 6 } });
    expect(await both.forget("gone")).toBe(true);
    expect(await both.recall("gone")).toBeNull();
    await both.remember({ key: "lingers", task_id, value: { a: 7 } });
    await server.kill();
    expect(await both.forget("lingers")).toBe(false);
    expect(await truth.recall("lingers")).toBeNull();
    await server.start();
    const again = memory();
    expect(await again.forget("lingers")).toBe(true);
    expect(await again.recall("lingers")).toBeNull();
  });
});
