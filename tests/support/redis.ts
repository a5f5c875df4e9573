import { describe } from "vitest";
import { redisInstalled } from "./redis-server.ts";

/** What needs a real redis-server says so when there is none, and is counted as skipped. */
export function withRealRedis(name: string, body: () => void): void {
  if (!redisInstalled) console.warn(`Skipped, since redis-server is not installed: ${name}`);
  describe.skipIf(!redisInstalled)(name, body);
}
