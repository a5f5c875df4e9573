import { type Memory, memory, type WorkingMemory } from "../_domain/working-memory.ts";
import type { Redis } from "./redis.ts";

const nameOf = (key: string): string => `dags:memory:${key}`;

/**
 * A copy of the short-term memory in Redis, in front of the one that is the truth. A key keeps its value while it lives,
 * so a copy cannot be out of date; one that is lost, cut off or unreadable is fetched again. Each copy ends with the
 * original, by the time that the database says is left and not by this machine's clock.
 */
export function redisMemory(redis: Redis, truth: WorkingMemory): WorkingMemory {
  async function copy(item: Memory): Promise<void> {
    const left = Math.floor(item.expires_in_ms);
    if (left < 1) return;
    // Whether it arrived does not matter: what is not there is asked of the database.
    await redis.run((client) =>
      client.set(nameOf(item.key), JSON.stringify(item), {
        expiration: { type: "PX", value: left },
      })
    );
  }

  return {
    async recall(key) {
      const found = await redis.run((client) => client.get(nameOf(key)));
      const read = found.ok && found.value !== null ? readCopy(found.value) : null;
      if (read !== null && read.key === key) return read;
      const kept = await truth.recall(key);
      if (kept !== null) await copy(kept);
      return kept;
    },
    async remember(item) {
      const kept = await truth.remember(item);
      if (kept !== null) await copy(kept);
      return kept;
    },
    async forget(key) {
      const forgotten = await truth.forget(key);
      return (await redis.run((client) => client.del(nameOf(key)))).ok && forgotten;
    },
  };
}

function readCopy(text: string): Memory | null {
  try {
    const read = memory.safeParse(JSON.parse(text));
    return read.success ? read.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
