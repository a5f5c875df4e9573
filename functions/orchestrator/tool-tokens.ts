import type { Limiter } from "../_domain/limiter.ts";
import type { Database } from "../_database/database.ts";
import type { Policy } from "../_domain/policy.ts";
import { isRefusalCode, Refusal } from "../_domain/refusal.ts";

export interface TokenDeps {
  database: Database;
  policy: Policy;
  /** Null where no Redis is configured: the database counts everything. */
  limiter?: Limiter | null;
}

interface Granted {
  granted?: boolean;
  refused?: string;
  reason?: string;
  retry_after?: number;
}

/** What acts on the world outside; a policy may name others. */
const acting: readonly string[] = ["broker.order", "telegram.post", "telegram.invite"];

/** One token from the database, which every worker shares; anything but a clear yes is no token. */
async function fromDatabase(database: Database, tool: string): Promise<number | null> {
  const token = await database.call<Granted>("take_tool_token", { p_tool: tool });
  if (token.granted === true) return null;
  if (token.refused === "rate_limited") return token.retry_after ?? 1;
  throw new Refusal(isRefusalCode(token.refused) ? token.refused : "unavailable", token.reason);
}

/**
 * Null for a token, or the seconds until there is one. Redis, where there is one, turns callers away without a
 * transaction. Where it does not answer, the database counts what only reads; what acts is not let through, for two
 * counters that each know half would let twice as much pass. What acts is counted by the database as well, so that a
 * Redis that was flushed lets nothing more through.
 */
export const tokensFor = ({ database, policy, limiter = null }: TokenDeps) => {
  const failsClosed = policy.rate_limits.fail_closed ?? acting;
  return async (tool: string): Promise<number | null> => {
    const perMinute = policy.rate_limits.tools[tool];
    if (limiter === null || perMinute === undefined) return await fromDatabase(database, tool);
    const token = await limiter.take(`tool:${tool}`, perMinute, perMinute);
    if (token === "taken") {
      return failsClosed.includes(tool) ? await fromDatabase(database, tool) : null;
    }
    if (token !== "unknown") return token.wait;
    if (!failsClosed.includes(tool)) return await fromDatabase(database, tool);
    throw new Refusal(
      "rate_limited",
      `Redis does not answer, and no call of ${tool} passes uncounted: wait 5 seconds.`,
    );
  };
};
