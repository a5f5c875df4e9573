import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configured, look } from "../support/configured.ts";
import { redisInstalled, RedisServer } from "../../support/redis-server.ts";
import { SqliteHuey } from "../support/sqlite-huey.ts";

const rows = `
  insert into task (queue, data, priority) values ('jobs', x'80049503', 0), ('jobs', x'80', 5), ('other', x'80', 0);
  insert into schedule (queue, data, timestamp) values
    ('jobs', x'80', unixepoch() + 3600), ('jobs', x'80', unixepoch() - 60), ('other', x'80', 1);
  insert into kv (queue, key, value) values ('jobs', 'r:1', x'80');
`;

describe("in SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "huey-"));
  const huey = new SqliteHuey();
  afterAll(async () => {
    await huey.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const scope = (name: string, heartbeat: { file: string } | null = null) => ({
    name: "jobs",
    queue: "jobs",
    storage: { kind: "sqlite" as const, path: join(folder, name) },
    heartbeat,
    heartbeat_every_s: 60,
    timeout_ms: 1000,
  });

  it("is never green without a heartbeat, whatever the counts are", async () => {
    await huey.make(join(folder, "plain.db"), rows);
    const { status, reason, value } = await huey.read(scope("plain.db"));
    expect({ status, reason }).toEqual({
      status: "degraded",
      reason: "no heartbeat is configured, so whether a consumer runs is unknown",
    });
    expect(value?.[0]).toMatchObject({
      runner: null,
      queue: { pending: 2, scheduled: 2, overdue: 1 },
    });
  });

  it("is live with a consumer that beats, and stale when it stops", async () => {
    const file = join(folder, "beat");
    writeFileSync(file, String(Date.now() / 1000 - 100));
    expect((await huey.read(scope("plain.db", { file }))).status).toBe("live");
    writeFileSync(file, String(Date.now() / 1000 - 200));
    const { status, value } = await huey.read(scope("plain.db", { file }));
    expect([status, value?.[0].runner]).toEqual(["stale", "absent"]);
  });

  it.each(["wal", "delete"] as const)(
    "leaves no file behind beside a database in mode %s",
    async (journal) => {
      const alone = mkdtempSync(join(folder, "alone-"));
      await huey.make(join(alone, "h.db"), rows, journal);
      const { value } = await huey.read({
        ...scope("h.db"),
        storage: { kind: "sqlite", path: join(alone, "h.db") },
      });
      expect(value?.[0].queue?.pending).toBe(2);
      expect(readdirSync(alone)).toEqual(["h.db"]);
    },
  );

  it("counts what is in the log of a consumer that has it open", async () => {
    const path = join(folder, "held.db");
    await huey.make(path, rows);
    await huey.hold(path);
    expect((await huey.read(scope("held.db"))).value?.[0].queue?.pending).toBe(3);
  });

  it("is not touched when it was left behind in the middle of a write", async () => {
    const alone = mkdtempSync(join(folder, "left-"));
    const path = join(alone, "h.db");
    await huey.make(path, rows);
    writeFileSync(`${path}-wal`, "half a log");
    const left = { ...scope("h.db"), storage: { kind: "sqlite" as const, path } };
    expect((await huey.read(left)).reason)
      .toBe("its storage was left behind in the middle of a write");
    expect(readdirSync(alone).sort()).toEqual(["h.db", "h.db-wal"]);
  });

  it("is unknown, and soon, while a writer holds it", async () => {
    await huey.make(join(folder, "locked.db"), rows, "delete");
    await huey.lock(join(folder, "locked.db"));
    const started = performance.now();
    const { status, reason } = await huey.read(scope("locked.db"));
    expect({ status, reason }).toEqual({
      status: "unknown",
      reason: "its storage is locked by a writer",
    });
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it.each([
    ["absent.db", null, "there is no such file"],
    ["text.db", "no database", "it is no SQLite database"],
    ["torn.db", `SQLite format 3\0${"\0".repeat(200)}`, "its storage is damaged"],
  ])("is unknown where %s is not what it should be", async (name, text, reason) => {
    if (text !== null) writeFileSync(join(folder, name), text);
    const reading = await huey.read(scope(name));
    expect([reading.status, reading.reason]).toEqual(["unknown", reason]);
  });

  it("is unknown where the tables are another program's", async () => {
    await huey.make(join(folder, "other.db"), "drop table task; drop table schedule;");
    expect((await huey.read(scope("other.db"))).reason).toBe("it has no tables of Huey's");
  });
});

describe.skipIf(!redisInstalled)("in Redis", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.remove());

  const read = (name: string, more: object = {}) =>
    configured(
      { huey: [{ name, redis_url_env: "HUEY_REDIS_URL", ...more }] },
      { HUEY_REDIS_URL: server.url },
    ).jobs[1].read(new Date(), look());

  it("is unknown without the variable that says where it is", async () => {
    const { jobs: [, reader] } = configured({
      huey: [{ name: "a", redis_url_env: "HUEY_REDIS_URL" }],
    });
    expect((await reader.read(new Date(), look())).reason)
      .toBe("its machine credential HUEY_REDIS_URL is not set");
  });

  it("counts what waits and what is due, and is never green without a heartbeat", async () => {
    const now = Date.now() / 1000;
    await server.commands(
      ["LPUSH", "huey.redis.mail", "a", "b", "c"],
      ["ZADD", "huey.schedule.mail", String(now - 60), "due", String(now + 3600), "later"],
    );
    const { status, value } = await read("mail");
    expect(status).toBe("degraded");
    expect(value?.[0]).toMatchObject({
      runner: null,
      queue: { pending: 3, scheduled: 2, overdue: 1 },
    });
    expect(Date.parse(value?.[0].next_run_at ?? "")).toBeCloseTo((now + 3600) * 1000, -3);
  });

  it("counts a queue with priorities, and strips the name as Huey does", async () => {
    await server.commands(["ZADD", "huey.redis.mybest", "5", "a", "1", "b"]);
    expect((await read("priorities", { queue: "my-best" })).value?.[0].queue?.pending).toBe(2);
  });

  it("is live with a heartbeat in a key", async () => {
    await server.commands(["SET", "beat", new Date().toISOString()]);
    const reading = await read("mail", { heartbeat: { redis_key: "beat" } });
    expect([reading.status, reading.value?.[0].runner]).toEqual(["live", "present"]);
  });

  it("takes a heartbeat that is a pickle for none, and opens it not", async () => {
    await server.commands(["SET", "pickled", "\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00K\x01."]);
    expect((await read("mail", { heartbeat: { redis_key: "pickled" } })).reason)
      .toBe("the consumer has left no heartbeat that can be read");
  });

  it("is unknown where the keys are another program's", async () => {
    await server.commands(["SET", "huey.redis.foreign", "a word"]);
    expect((await read("foreign")).reason).toBe("its keys are of another kind than Huey's");
  });
});
