import { embed } from "../_channels/embedder.ts";
import { createJudge } from "../_channels/judge.ts";
import { deployedDatabase } from "../_database/deployed-database.ts";
import { serve } from "../_edge/serve.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { handle } from "./handler.ts";
import { agents } from "./roster.ts";

await serve("orchestrator", ["SERVICE_TOKEN"], async (environment) => {
  const deps = {
    database: deployedDatabase(environment),
    service_token: environment.serviceToken!,
    policy: await loadBundledPolicy(),
    agents,
    embed,
    judge: environment.llm && createJudge({ ...environment.llm, fetch }),
    worker: `orchestrator-${crypto.randomUUID()}`,
    now: () => new Date(),
    // Far below the platform's limit on one worker; the schedule ticks again.
    budget_ms: 20_000,
  };
  return (request: Request) => handle(request, deps);
});
