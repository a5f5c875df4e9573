import { patientJudge } from "../_channels/patient-judge.ts";
import { breakersOf } from "../_database/breakers.ts";
import { deployedDatabase } from "../_database/deployed-database.ts";
import { serve } from "../_edge/serve.ts";
import { carry } from "../_policy/bundle-report.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { handle } from "./handler.ts";

await serve("critic", ["SERVICE_TOKEN"], async (environment) => {
  const database = deployedDatabase(environment);
  const policy = await loadBundledPolicy();
  const bundle = carry("critic", database, policy);
  const breakers = breakersOf({ database, now: () => new Date() });
  const deps = {
    database,
    service_token: environment.serviceToken!,
    policy,
    judge: environment.llm && patientJudge({ ...environment.llm, fetch, breakers }),
  };
  return (request: Request) => (void bundle(), handle(request, deps));
});
