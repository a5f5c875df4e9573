import { afterAll, beforeAll, expect, it } from "vitest";
import { RedisServer } from "../support/redis-server.ts";
import { withRealRedis } from "../support/redis.ts";
import { goodAlert, Stack } from "../support/stack.ts";

withRealRedis("the stack beside a Redis", () => {
  let server: RedisServer;
  let stack: Stack;
  beforeAll(async () => {
    server = await RedisServer.start();
    stack = await Stack.start({ REDIS_URL: server.url });
  }, 90_000);
  afterAll(async () => {
    await stack?.remove();
    await server?.remove();
  });

  const typesIn = async () => {
    const client = await server.client();
    return (await client.xRange("dags:events", "-", "+") ?? []).map(({ message }) =>
      `${message.task_id} ${message.event_type}`
    );
  };
  const alert = async (price: number): Promise<string> =>
    (await (await stack.alert(goodAlert({ price }))).json()).task_id;
  const state = async () => ((await stack.health()).redis as { state: string }).state;

  it("tells each event to the stream, and health says that Redis is up", async () => {
    const task = await alert(67_001);
    await Stack.until(
      "the card's event",
      async () => (await typesIn()).includes(`${task} NEED_APPROVAL`),
    );
    expect((await typesIn()).filter((line) => line === `${task} TASK_CREATED`)).toHaveLength(1);
    expect(await state()).toBe("up");
  }, 60_000);

  it("lists who reads and how far each is behind, and pauses one in somebody's name", async () => {
    const list = async () =>
      JSON.parse((await stack.ags("consumers", "--json")).out) as Record<string, unknown>[];
    const named = async (name: string) => (await list()).find(({ consumer }) => consumer === name);
    expect(await named("redis-relay")).toMatchObject({ kind: "reader", status: "caught_up" });
    const refused = await stack.ags("pause", "redis-relay");
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("Say why")]);
    expect((await stack.ags("pause", "redis-relay", "--reason", "a look")).out).toBe(
      "redis-relay is paused.\n",
    );
    const task = await alert(67_002);
    await Stack.until(
      "the task to wait",
      async () => await stack.status(task) === "awaiting_approval",
    );
    const paused = await named("redis-relay");
    expect(paused).toMatchObject({ status: "paused", pause_reason: "a look" });
    expect(paused?.lag_rows).toBeGreaterThan(3);
    expect((await typesIn()).some((line) => line.startsWith(task))).toBe(false);
    expect((await stack.ags("resume", "redis-relay")).out).toBe("redis-relay goes on.\n");
    await Stack.until(
      "the rest of the events",
      async () => (await typesIn()).includes(`${task} NEED_APPROVAL`),
    );
    const unknown = await stack.ags("pause", "nobody", "--reason", "x");
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("not_found")]);
  }, 90_000);

  it("adds a reader and sends it back", async () => {
    const { out, code } = await stack.ags("consumers", "add", "ledger", "--from", "beginning");
    expect([code, out]).toEqual([0, "ledger reads on from 0.0.0.\n"]);
    const sent = await stack.ags("consumers", "rewind", "ledger", "--back", "5");
    expect([sent.code, sent.out]).toEqual([
      0,
      "ledger reads on from 0.0.0: 0 events come again.\n",
    ]);
  }, 60_000);

  it("works on when Redis dies in the middle, and tells the rest when it is back", async () => {
    const under = alert(67_003);
    await server.kill();
    const task = await under;
    await Stack.until(
      "the task to wait",
      async () => await stack.status(task) === "awaiting_approval",
    );
    expect(await state()).toBe("down");
    const health = await stack.health();
    expect((health.redis as { status: string }).status).toBe("degraded");
    await server.start();
    await Stack.until(
      "the events",
      async () => (await typesIn()).includes(`${task} NEED_APPROVAL`),
    );
    await Stack.until("health to say so", async () => await state() === "up");
  }, 90_000);
});
