import { embed } from "../_channels/embedder.ts";
import { patientJudge } from "../_channels/patient-judge.ts";
import { deployedDatabase } from "../_database/deployed-database.ts";
import { heartbeat } from "../_database/heartbeat.ts";
import { serve } from "../_edge/serve.ts";
import { carry } from "../_policy/bundle-report.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { handle } from "./handler.ts";
import { outsideOf } from "./outside.ts";
import { agents, dependenciesOf } from "./roster.ts";

await serve("orchestrator", ["SERVICE_TOKEN"], async (environment) => {
  const database = deployedDatabase(environment);
  const policy = await loadBundledPolicy();
  const bundle = carry("orchestrator", database, policy);
  const [now, worker] = [() => new Date(), `orchestrator-${crypto.randomUUID()}`];
  const outside = outsideOf({ environment, database, fetch, now });
  const beats = heartbeat({ database, worker, dependencies: dependenciesOf(environment), now });
  const { breakers } = outside;
  const judge = environment.llm && patientJudge({ ...environment.llm, fetch, breakers });
  const shared = { database, policy, bundle, agents, embed, judge, worker, now, ...outside };
  // The budget is far below the platform's limit on one worker; the schedule ticks again.
  const door = { service_token: environment.serviceToken!, budget_ms: 20_000, heartbeat: beats };
  return (request) => handle(request, { ...shared, ...door });
});
