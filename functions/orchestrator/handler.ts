import type { Agent, Judge } from "../_agents/agent.ts";
import type { Database } from "../_database/database.ts";
import type { Heartbeat } from "../_database/heartbeat.ts";
import { holdLease } from "../_database/leases.ts";
import type { Limiter } from "../_domain/limiter.ts";
import type { Policy } from "../_domain/policy.ts";
import type { RefusalCode } from "../_domain/refusal.ts";
import type { StepWork } from "../_domain/task.ts";
import { admit, serviceCaller } from "../_edge/door.ts";
import { note } from "../_edge/log.ts";
import { pathBelow } from "../_edge/path.ts";
import { refuse, respond } from "../_edge/respond.ts";
import { complete, completeAndClaim } from "./completion.ts";
import { dispatch } from "./dispatch.ts";
import type { Outside } from "./outside.ts";

export interface OrchestratorDeps extends Outside {
  database: Database;
  service_token: string;
  /** The bundled policy, or why it cannot be read: nothing is planned or run without one. */
  policy: { ok: true; policy: Policy; sha256: string } | { ok: false; reason: string };
  agents: Readonly<Record<string, Agent>>;
  embed: (text: string) => Promise<number[]>;
  judge: Judge | null;
  limiter?: Limiter | null;
  worker: string;
  /** Why this process may not work with the policy that it carries, or null; nothing is claimed then. */
  bundle: () => Promise<RefusalCode | null>;
  now: () => Date;
  budget_ms: number;
  heartbeat?: Heartbeat;
}

/** Whoever ticks by itself has no door, and needs no token for one. */
type TickDeps = Omit<OrchestratorDeps, "service_token"> & { service_token?: string };

export interface Tick {
  claimed: number;
  completed: number;
  swept: Record<string, number>;
}

const batch = 10;

/**
 * Sweeps, then claims and runs what is ready until nothing is or the time is used up. Any number of ticks may run
 * at once, anywhere: a step is leased to one of them, and what a dead one held comes back with its lease.
 */
export async function tick(deps: TickDeps): Promise<Tick> {
  const rest = await deps.heartbeat?.keep();
  try {
    return await work(deps);
  } finally {
    rest?.();
  }
}

async function work(deps: TickDeps): Promise<Tick> {
  const until = deps.now().getTime() + deps.budget_ms;
  const done: Tick = {
    claimed: 0,
    completed: 0,
    swept: await deps.database.call<Record<string, number>>("sweep"),
  };
  if (!deps.policy.ok || await deps.bundle() !== null) return done;
  await deps.watch();
  const dispatching = { ...deps, policy: deps.policy.policy, policy_sha256: deps.policy.sha256 };
  const hasTime = () => deps.now().getTime() < until;
  const claim = () =>
    deps.database.call<StepWork[]>("claim_steps", {
      p_worker: deps.worker,
      p_limit: batch,
      p_agents: null,
    });
  let claimed = hasTime() ? await claim() : [];
  while (claimed.length > 0) {
    done.claimed += claimed.length;
    // Whoever is done early waits for its batch with its lease in hand.
    const releases = claimed.map((work) => holdLease(deps.database, work));
    try {
      const finished = (await Promise.all(claimed.map((work) => dispatch(dispatching, work))))
        .filter((item) => item !== null);
      if (finished.length === 0) {
        claimed = hasTime() ? await claim() : [];
      } else if (hasTime()) {
        const next = await completeAndClaim(dispatching, finished, batch);
        done.completed += next.completed;
        claimed = next.claimed;
      } else {
        done.completed += await complete(dispatching, finished);
        claimed = [];
      }
    } finally {
      for (const release of releases) release();
    }
  }
  return done;
}

/** `POST /orchestrator/tick` with the service token; answers what was claimed and completed. */
export async function handle(request: Request, deps: OrchestratorDeps): Promise<Response> {
  const below = pathBelow(request, "orchestrator");
  if (below?.length !== 1 || below[0] !== "tick") return refuse("not_found");
  const visit = await admit(request, {
    method: "POST",
    caller: serviceCaller(deps.service_token),
    maxBytes: 1024,
  });
  if (visit instanceof Response) return visit;
  const done = await tick(deps);
  const problem = deps.policy.ok ? await deps.bundle() : "policy_invalid";
  note(request, { outcome: problem === null ? "ticked" : "swept" });
  if (problem === null) return respond(done);
  return refuse(problem, { ...(deps.policy.ok ? {} : { reason: deps.policy.reason }), ...done });
}
