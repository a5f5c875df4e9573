import { relayEvents } from "../../../functions/_channels/event-relay.ts";
import { openRedis } from "../../../functions/_channels/redis.ts";
import { redisLimiter } from "../../../functions/_channels/redis-limiter.ts";
import { redisMemory } from "../../../functions/_channels/redis-memory.ts";
import { redisStream } from "../../../functions/_channels/redis-stream.ts";
import { eventReader } from "../../../functions/_database/event-reader.ts";
import { databaseMemory } from "../../../functions/_database/working-memory.ts";
import { tokensFor } from "../../../functions/orchestrator/tool-tokens.ts";
import * as line from "../../../tests/support/line.ts";
import { addConsumer, lagOf, tell } from "../../../tests/support/bus.ts";
import { RedisServer } from "../../../tests/support/redis-server.ts";
import { Findings, type Row } from "../row.ts";
import { until } from "../../../tests/support/until.ts";
import { readEvent, Traffic } from "../traffic.ts";

const forgetful: Row = {
  id: 49,
  fault: "Redis is killed, paused, flushed",
  promise:
    "memory comes from Postgres; a tool is called only where the policy lets it; tasks go on",
  needs: ["postgres", "redis"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const server = await RedisServer.start({ keeps: false });
    scene.onRowEnd(() => server.remove());
    const redis = openRedis({ url: server.url, now: Date.now, timeout_ms: 200, quiet_ms: 100 });
    scene.onRowEnd(() => redis.close());
    const memory = redisMemory(redis, databaseMemory(db.database, "test"));
    const { task_id } = await line.accept(db, readEvent("remembers"));
    for (let i = 0; i < 10; i++) {
      await memory.remember({ key: `k${i}`, task_id: String(task_id), value: { i } });
    }
    const traffic = new Traffic(scene, db, { senders: 2, workers: 1, pauseMs: 60 });
    const recallAll = async (when: string) => {
      const began = Date.now();
      for (let i = 0; i < 10; i++) {
        const kept = await memory.recall(`k${i}`);
        found.must(
          JSON.stringify(kept?.value) === JSON.stringify({ i }),
          `${when}: k${i} reads ${JSON.stringify(kept?.value)}`,
        );
      }
      return Date.now() - began;
    };
    await recallAll("up");
    const tokens = tokensFor({
      database: db.database,
      policy: line.policy,
      limiter: redisLimiter(redis),
    });
    const take = async (name: string) => {
      const answer = await tokens(name).then(
        (value) => JSON.stringify(value),
        (error) => String(error.code ?? error),
      );
      return answer;
    };
    const before = await take("telegram.post");
    found.proof(`kill -9: ${await server.kill()}`);
    const down = await recallAll("down");
    const whenDown = await take("telegram.post");
    await server.start();
    await until("Redis to be seen again", async () => await redis.check() === "up");
    await server.pause(1_500);
    found.proof("CLIENT PAUSE 1500");
    const slow = await recallAll("paused");
    await until("Redis to answer again", async () => await redis.check() === "up");
    await recallAll("copied again");
    await server.flush();
    found.proof("FLUSHALL");
    await recallAll("flushed");
    await traffic.end();
    found.must(
      traffic.unknown.length === 0 && traffic.errors.size === 0,
      "tasks were disturbed by Redis",
    );
    found.must(await traffic.drain() === 0, "tasks did not end");
    await traffic.found();
    for (const [key] of [["remembers"]]) scene.history.add("invoke", "row", "accept", key);
    found.saw(
      `10 of 10 keys read right in every state (down ${down} ms, paused ${slow} ms); a token up: ${before}, down: ${whenDown}; ${traffic.acknowledged.length} tasks undisturbed`,
    );
    return found.outcome("Redis killed, paused for 1.5 s, flushed");
  },
};

const bus: Row = {
  id: 50,
  fault: "the bus is away, slow, and loses the answer to what it took",
  promise:
    "the outbox drives: everything told in the end, in order, repeats known by event_id; the lag is seen",
  needs: ["postgres", "redis"],
  async run(scene) {
    const db = await scene.database();
    const found = new Findings();
    const server = await RedisServer.start({ keeps: false });
    scene.onRowEnd(() => server.remove());
    const redis = openRedis({ url: server.url, now: Date.now, timeout_ms: 200, quiet_ms: 50 });
    scene.onRowEnd(() => redis.close());
    await addConsumer(db, "faults-bus", "beginning");
    const stream = redisStream(redis);
    let lostAnswers = 0;
    const forgets = {
      ...stream,
      append: async (events: Parameters<typeof stream.append>[0]) => {
        const added = await stream.append(events);
        // It was taken, and nobody heard of it.
        if (added.ok && scene.random() < 0.4) {
          lostAnswers++;
          return { ok: false as const, reason: "the answer was lost" };
        }
        return added;
      },
    };
    const pass = () =>
      relayEvents({
        reader: eventReader(db.database, "redis-relay"),
        stream: forgets,
        redis,
        batch: 20,
      });
    const settle = () =>
      until("the relay to come to rest", async () => (await pass()).state === "idle", 30_000);
    const keys = await tell(db, scene.times(60));
    await settle();
    found.proof(`kill -9: ${await server.kill()}`);
    keys.push(...await tell(db, 20));
    const away = await pass();
    found.must(away.state === "down", `while it was away: ${away.state}`);
    const lag = await lagOf(db, "redis-relay");
    found.must(Number(lag.lag_rows) >= 20, `the lag reads ${lag.lag_rows}`);
    const held = await db.count(
      "pg_stat_activity where datname = current_database() and state = 'idle in transaction'",
    );
    found.must(held === 0, `${held} transactions are held open meanwhile`);
    await server.start();
    await until("Redis to be seen again", async () => await redis.check() === "up");
    await settle();
    await server.pause(800);
    keys.push(...await tell(db, 20));
    await pass();
    await settle();
    const [entries] = await server.commands(["XRANGE", "dags:events", "-", "+"]);
    const told = (Array.isArray(entries) ? entries : []).map((entry) => {
      const fields: unknown[] = entry[1];
      return String(fields[fields.indexOf("idempotency_key") + 1]);
    });
    // The stream forgot what it had when it was killed: the relay noticed and told it again.
    const missing = keys.filter((key) => !told.includes(key));
    found.must(missing.length === 0, `${missing.length} events were never told`);
    const firsts = [...new Set(told)].filter((key) => keys.includes(key));
    found.must(firsts.join() === keys.join(), "the order of first tellings is another");
    found.counted(lostAnswers, "answers lost after the stream had taken the batch");
    found.saw(
      `${keys.length} events, ${told.length} tellings; lag while away ${lag.lag_rows} rows`,
    );
    return found.outcome("a stream killed (and empty afterwards), paused, its answers lost");
  },
};

export const redisRows = [forgetful, bus];
