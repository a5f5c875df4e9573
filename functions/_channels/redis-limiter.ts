import type { Limiter } from "../_domain/limiter.ts";
import type { Redis } from "./redis.ts";

// One script is one step for Redis, so of any number of takers at once each sees what the one before it left. The clock
// is the server's: those of a hundred workers differ.
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local rate, burst = tonumber(ARGV[1]) / 60000, tonumber(ARGV[2])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(bucket[1]) or burst, tonumber(bucket[2]) or now
tokens = math.min(burst, tokens + math.max(now - at, 0) * rate)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = math.ceil((1 - tokens) / rate) end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', math.max(now, at))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate) + 60000)
return wait
`;

/** Token buckets in Redis. A bucket that is not there is full, so whoever flushes Redis fills them all. */
export const redisLimiter = (redis: Redis): Limiter => ({
  async take(bucket, perMinute, burst) {
    const answer = await redis.run((client) =>
      client.eval(script, {
        keys: [`dags:bucket:${bucket}`],
        arguments: [String(perMinute), String(burst)],
      })
    );
    if (!answer.ok) return "unknown";
    const wait = Number(answer.value);
    if (!Number.isFinite(wait)) return "unknown";
    return wait === 0 ? "taken" : { wait: Math.max(1, Math.ceil(wait / 1000)) };
  },
});
