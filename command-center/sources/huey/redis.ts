import { createClient } from "@redis/client";
import { fromEpoch, instantOf } from "../instant.ts";
import { skewOf } from "../http-call.ts";
import { Unanswered } from "../unanswered.ts";
import type { HueyCounts } from "./queue.ts";

export interface RedisQueue {
  url: string;
  queue: string;
  heartbeat_key: string | null;
  connect_timeout_ms: number;
}

export interface RedisLook {
  counts: HueyCounts;
  heartbeat_at: string | null;
  /** The server's own clock. */
  looked_at: string;
  skew: string | null;
}

/** Huey strips everything else from a queue's name before it makes keys of it. */
const cleaned = (name: string): string => name.replace(/[^a-z0-9]/g, "");

const max_heartbeat_bytes = 64;

/** Lengths and scores of one queue in Huey's Redis storage. No command here returns a payload. */
export async function redisLook(
  { url, queue, heartbeat_key, connect_timeout_ms }: RedisQueue,
  now: Date,
  signal: AbortSignal,
): Promise<RedisLook> {
  const client = clientOf(url, connect_timeout_ms);
  // Every failure reaches the awaited call, too; without a listener it would end the process.
  client.on("error", () => {});
  const leave = () => client.destroy();
  signal.addEventListener("abort", leave, { once: true });
  try {
    signal.throwIfAborted();
    await client.connect();
    const name = cleaned(queue);
    const looked_at = await serverTime(client);
    return {
      counts: await counted(client, name, now.getTime() / 1000),
      heartbeat_at: heartbeat_key === null ? null : await heartbeat(client, heartbeat_key),
      looked_at,
      skew: skewOf(looked_at, new Date()),
    };
  } catch (error) {
    throw told(error);
  } finally {
    signal.removeEventListener("abort", leave);
    if (client.isOpen) client.destroy();
  }
}

const clientOf = (url: string, connectTimeout: number) =>
  createClient({
    url,
    disableOfflineQueue: true,
    socket: { connectTimeout, reconnectStrategy: false },
  });

type Client = ReturnType<typeof clientOf>;

async function serverTime(client: Client): Promise<string> {
  const reply: unknown = await client.sendCommand(["TIME"]);
  const [seconds] = Array.isArray(reply) ? reply : [];
  const at = instantOf(String(seconds));
  if (at === null) throw new Unanswered("it does not say what time it is");
  return at;
}

async function counted(client: Client, name: string, now_s: number): Promise<HueyCounts> {
  const queue_key = `huey.redis.${name}`;
  const schedule_key = `huey.schedule.${name}`;
  const results_key = `huey.results.${name}`;
  const [queue_type, results_type] = await Promise.all([
    client.type(queue_key),
    client.type(results_key),
  ]);
  const [pending, scheduled, overdue, [oldest], [next], results] = await Promise.all([
    // With priorities the queue is a sorted set.
    queue_type === "zset" ? client.zCard(queue_key) : client.lLen(queue_key),
    client.zCard(schedule_key),
    client.zCount(schedule_key, "-inf", now_s),
    scores(client, schedule_key, "-inf", String(now_s)),
    scores(client, schedule_key, `(${now_s}`, "+inf"),
    results_type === "hash" || results_type === "none" ? client.hLen(results_key) : null,
  ]);
  return {
    pending,
    scheduled,
    overdue,
    next_due_at: fromEpoch(next),
    oldest_due_at: fromEpoch(oldest),
    results,
  };
}

/**
 * The first score in a range. Redis gives the member along, which is the pickle; only its score is looked at, and the
 * reply is read as bytes that are let go at once.
 */
async function scores(client: Client, key: string, from: string, to: string): Promise<number[]> {
  const rows = await client.zRangeWithScores(key, from, to, {
    BY: "SCORE",
    LIMIT: { offset: 0, count: 1 },
  });
  return rows.map(({ score }) => score);
}

async function heartbeat(client: Client, key: string): Promise<string | null> {
  if (await client.type(key) !== "string") return null;
  return instantOf(await client.getRange(key, 0, max_heartbeat_bytes));
}

function told(error: unknown): unknown {
  const text = error instanceof Error ? error.message : "";
  if (/^(NOAUTH|WRONGPASS|NOPERM)/.test(text)) {
    return new Unanswered("it does not take the credentials");
  }
  if (/^WRONGTYPE/.test(text)) return new Unanswered("its keys are of another kind than Huey's");
  if (/^LOADING/.test(text)) return new Unanswered("it is still loading its data");
  if (/closed|disconnect|Socket|timeout/i.test(text)) {
    return new Unanswered("the connection broke off");
  }
  return error;
}
