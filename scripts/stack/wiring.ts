import type { Agent } from "../../functions/_agents/agent.ts";
import { consoleChannel } from "../../functions/_channels/console.ts";
import { embed } from "../../functions/_channels/embedder.ts";
import { patientJudge } from "../../functions/_channels/patient-judge.ts";
import { openRedis, type Redis } from "../../functions/_channels/redis.ts";
import { redisLimiter } from "../../functions/_channels/redis-limiter.ts";
import { redisMemory } from "../../functions/_channels/redis-memory.ts";
import type { Database } from "../../functions/_database/database.ts";
import { databaseMemory } from "../../functions/_database/working-memory.ts";
import type { Limiter } from "../../functions/_domain/limiter.ts";
import type { WorkingMemory } from "../../functions/_domain/working-memory.ts";
import type { LogSink } from "../../functions/_edge/log.ts";
import type { Environment } from "../../functions/_edge/environment.ts";
import { type Heartbeat, heartbeat } from "../../functions/_database/heartbeat.ts";
import { type Doorkeeping, doorkeepingOf, needsOf } from "../../functions/communicator/outside.ts";
import { type Outside, outsideOf } from "../../functions/orchestrator/outside.ts";
import { agents, dependenciesOf } from "../../functions/orchestrator/roster.ts";
import { bundleReporter } from "../../functions/_policy/bundle-report.ts";
import { type DecisionDeps, decisionKeys } from "../../functions/telegram-webhook/decision.ts";
import type { PolicyResult } from "../../functions/_policy/parse-policy.ts";

/** What works off tasks in this process, with or without a door. */
export interface Works extends Outside, Doorkeeping {
  /** Why this process may not work with the policy that it carries, or null. */
  bundle: ReturnType<typeof bundleReporter>;
  environment: Environment;
  database: Database;
  policy: PolicyResult;
  policy_sha256: string | null;
  agents: Readonly<Record<string, Agent>>;
  embed: typeof embed;
  judge: ReturnType<typeof patientJudge> | null;
  channels: {
    telegram: Doorkeeping["telegram"];
    console: ReturnType<typeof consoleChannel>;
  };
  worker: string;
  /** How this process's agents are, all of them. */
  heartbeat: Heartbeat;
  /** Null where none is configured. */
  redis: Redis | null;
  memory: WorkingMemory;
  limiter: Limiter | null;
  now: () => Date;
  log: LogSink;
}

/** What every function of this process shares. */
export interface Wiring extends Works, Pick<DecisionDeps, "signer" | "seeds"> {
  service_token: string;
  webhook_secret: string;
}

export interface WiringOptions {
  environment: Environment;
  database: Database;
  policy: PolicyResult;
  /** One JSON line per request. */
  log: LogSink;
  /** Messages that have no chat to go to. */
  print: (text: string) => void;
  /** The name that its leases bear. */
  worker?: string;
}

/** Only the local stack calls this, after it has generated what was not set. */
export function wire(options: WiringOptions): Wiring {
  const { telegram, serviceToken, keys } = options.environment;
  if (serviceToken === null || telegram.webhookSecret === null) {
    throw new Error("the secrets are generated before anything is wired");
  }
  return {
    ...wireWorks(options),
    ...decisionKeys(keys),
    service_token: serviceToken,
    webhook_secret: telegram.webhookSecret,
  };
}

/** A worker has no door, so it needs no secret of one. */
export function wireWorks(options: WiringOptions): Works {
  const { environment, database, policy, log, print } = options;
  const { llm } = environment;
  const worker = options.worker ?? `local-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`;
  const now = () => new Date();
  const outside = outsideOf({ environment, database, fetch, now });
  const redis = environment.redisUrl === null
    ? null
    : openRedis({ url: environment.redisUrl, now: Date.now });
  const kept = databaseMemory(database, worker);
  const door = doorkeepingOf({ environment, database, policy, fetch });
  return {
    environment,
    ...door,
    ...outside,
    bundle: bundleReporter({
      function: "orchestrator",
      instance: worker,
      policy,
      report: (args) => database.call("report_bundle", args),
      now,
    }),
    database,
    policy,
    policy_sha256: policy.ok ? policy.sha256 : null,
    agents,
    embed,
    judge: llm === null ? null : patientJudge({
      ...llm,
      fetch,
      breakers: outside.breakers,
      report: (reason) => log(JSON.stringify({ function: "judge", outcome: "unknown", reason })),
    }),
    channels: {
      telegram: door.telegram,
      console: consoleChannel(print),
    },
    worker,
    heartbeat: heartbeat({
      database,
      worker,
      now,
      dependencies: {
        ...dependenciesOf(environment),
        ...needsOf(door.telegram).dependencies,
      },
    }),
    redis,
    memory: redis === null ? kept : redisMemory(redis, kept),
    limiter: redis === null ? null : redisLimiter(redis),
    now,
    log,
  };
}
