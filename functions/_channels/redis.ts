import { createClient } from "@redis/client";

/** What Redis said, or why nothing is known of it. It is never thrown: no step may fail because Redis did. */
export type RedisAnswer<T> = { ok: true; value: T } | { ok: false; reason: string };

export interface RedisOptions {
  /** redis:// or rediss:// */
  url: string;
  now: () => number;
  timeout_ms?: number;
  connect_ms?: number;
  /** How long nobody is asked after a call that was not answered in time. */
  quiet_ms?: number;
}

/** So many calls without an answer in a row, and the connection is given up: what hangs in it would hang for ever. */
const patience = 3;
const longestRetryMs = 5_000;

type Client = ReturnType<typeof clientOf>;

function clientOf(url: string, connectMs: number) {
  return createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true,
    commandsQueueMaxLength: 10_000,
    socket: {
      connectTimeout: connectMs,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** Math.min(retries, 10), longestRetryMs),
    },
  });
}

export interface Redis {
  /** One call under the time limit. Which were under way when the connection broke may have been done all the same. */
  run<T>(call: (client: Client) => Promise<T>): Promise<RedisAnswer<T>>;
  /** Asks now: up or down. */
  check(): Promise<"up" | "down">;
  /** Why the last call was not answered, or null. */
  trouble(): string | null;
  close(): void;
}

/**
 * One connection to Redis, opened by the first call and again after each loss. Slow is the same as down: after a call
 * that was not answered in time nobody waits for the next one, until one is let through to look.
 */
export function openRedis(options: RedisOptions): Redis {
  const { url, now, timeout_ms = 500, connect_ms = 2_000, quiet_ms = 1_000 } = options;
  let client: Client | null = null;
  let connecting: Promise<void> = Promise.resolve();
  let trouble: string | null = null;
  let unanswered = 0;
  let quietUntil = 0;
  let openedAt = 0;
  let closed = false;

  function connected(): Client {
    if (client !== null) return client;
    const opened = clientOf(url, connect_ms);
    const told = (error: Error) => {
      trouble = error.message || error.name;
    };
    // Either it is there or the first attempt has failed; the driver goes on trying by itself.
    connecting = new Promise((resolve) => {
      opened.on("error", (error: Error) => {
        told(error);
        resolve();
      });
      opened.connect().then(() => resolve(), told);
    });
    openedAt = now();
    client = opened;
    return opened;
  }

  function drop(): void {
    client?.destroy();
    client = null;
  }

  async function run<T>(call: (client: Client) => Promise<T>): Promise<RedisAnswer<T>> {
    if (closed) return { ok: false, reason: "the connection was closed" };
    if (now() < quietUntil) return { ok: false, reason: trouble ?? "Redis did not answer in time" };
    const asked = connected();
    try {
      // Whoever comes while the first connection is being made waits for it; later losses are not waited out.
      if (!asked.isReady && now() - openedAt < connect_ms) await within(connecting, connect_ms);
      if (!asked.isReady) return { ok: false, reason: trouble ?? "not connected" };
      const value = await within(call(asked), timeout_ms);
      unanswered = 0;
      trouble = null;
      return { ok: true, value };
    } catch (error) {
      trouble = error instanceof Error ? error.message || error.name : String(error);
      if (error instanceof NotInTime) {
        quietUntil = now() + quiet_ms;
        if (++unanswered >= patience) {
          unanswered = 0;
          drop();
        }
      }
      return { ok: false, reason: trouble };
    }
  }

  return {
    run,
    check: async () => (await run((asked) => asked.ping())).ok ? "up" : "down",
    trouble: () => trouble,
    close() {
      closed = true;
      drop();
    },
  };
}

class NotInTime extends Error {
  constructor(milliseconds: number) {
    super(`Redis did not answer within ${milliseconds} ms`);
  }
}

/** The driver's own limit ends when a command is written; one that waits for a paused server would wait for ever. */
async function within<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotInTime(milliseconds)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
