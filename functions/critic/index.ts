import { createJudge } from "../_channels/judge.ts";
import { deployedDatabase } from "../_database/deployed-database.ts";
import { serve } from "../_edge/serve.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { handle } from "./handler.ts";

await serve("critic", ["SERVICE_TOKEN"], async (environment) => {
  const deps = {
    database: deployedDatabase(environment),
    service_token: environment.serviceToken!,
    policy: await loadBundledPolicy(),
    judge: environment.llm && createJudge({ ...environment.llm, fetch }),
  };
  return (request: Request) => handle(request, deps);
});
