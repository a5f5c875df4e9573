import type { Database } from "../_database/database.ts";
import { Refusal } from "../_domain/refusal.ts";
import { admit, serviceCaller } from "../_edge/door.ts";
import { note } from "../_edge/log.ts";
import { pathBelow } from "../_edge/path.ts";
import { refuse, respond } from "../_edge/respond.ts";
import { findings, type Observed, type Report, standingOf, unseen } from "./findings.ts";

export interface HealthDeps {
  database: Database;
  service_token: string;
  /** The sha256 of the policy this process was built with; null when it cannot be read. */
  policy_sha256: string | null;
  /** Whether a mirror is set up at all: then an empty manifest is a fault and not an absence. */
  mirror_configured: boolean;
  /** Asks Redis whether it answers; null where none is configured. */
  redis?: (() => Promise<"up" | "down">) | null;
  now: () => Date;
}

/**
 * How the domain stands. Anyone learns the status, the service token's holder why.
 *
 * 503 only when something that the line needs is `unhealthy`: the database, the policy, a mirror that is set up and
 * empty. `degraded` (a clock off by more than 2 s, a member the bot cannot reach, a request that nobody is there to
 * decide, an effect nobody saw end, a stop, a critical alert, an open breaker, a paused consumer, a Redis that is set up
 * and away) wants a person and not a restart, so it answers 200, and so does `unknown`, which
 * is never shown as `healthy`. The status is the worst of its parts.
 */
export async function handle(request: Request, deps: HealthDeps): Promise<Response> {
  if (pathBelow(request, "dags-domain-health")?.length !== 0) return refuse("not_found");
  const domain = new URL(request.url).searchParams.get("domain") ?? "dags";
  if (domain !== "dags") return refuse("not_found", { reason: "the one domain here is dags" });
  const known = serviceCaller(deps.service_token);
  const visit = await admit(request, {
    method: "GET",
    caller: async (caller) => await known(caller) ?? "anyone",
    maxBytes: 0,
  });
  if (visit instanceof Response) return visit;

  const before = deps.now();
  const parts = await look(deps, before);
  const standing = standingOf(parts);
  note(request, { outcome: standing });
  const observed_at = before.toISOString();
  return respond(
    { status: standing, observed_at, ...(visit.caller === "service" ? parts : {}) },
    standing === "unhealthy" ? 503 : 200,
  );
}

async function look(
  deps: HealthDeps,
  before: Date,
): Promise<Report> {
  try {
    const observed = await deps.database.call<Observed>("health", {
      p_observed: { policy_sha256: deps.policy_sha256, runtime_now: before.toISOString() },
    });
    const after = deps.now();
    const redis = deps.redis ? await deps.redis() : null;
    return findings(observed, { ...deps, redis, before, after });
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "unavailable") throw error;
    return unseen(deps.now().toISOString());
  }
}
