import { createJudge } from "../_channels/judge.ts";
import { deployedDatabase } from "../_database/deployed-database.ts";
import { serve } from "../_edge/serve.ts";
import { carry } from "../_policy/bundle-report.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { handle } from "./handler.ts";

await serve("critic", ["SERVICE_TOKEN"], async (environment) => {
  const database = deployedDatabase(environment);
  const policy = await loadBundledPolicy();
  const bundle = carry("critic", database, policy);
  const deps = {
    database,
    service_token: environment.serviceToken!,
    policy,
    judge: environment.llm && createJudge({ ...environment.llm, fetch }),
  };
  return (request: Request) => (void bundle(), handle(request, deps));
});
