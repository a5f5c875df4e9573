import { deployedDatabase } from "../_database/deployed-database.ts";
import { hinter } from "../_database/hinter.ts";
import { nudger } from "../_edge/nudge.ts";
import { serve } from "../_edge/serve.ts";
import { carry } from "../_policy/bundle-report.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { alertAction } from "./alert-action.ts";
import { handle } from "./handler.ts";
import { doorsOf } from "./outside.ts";

await serve("intake", ["INTAKE_TOKENS", "SERVICE_TOKEN"], async (environment) => {
  const database = deployedDatabase(environment);
  const policy = await loadBundledPolicy();
  const bundle = carry("intake", database, policy);
  const [url, serviceToken] = [environment.supabase?.url ?? null, environment.serviceToken!];
  const deps = {
    ...doorsOf(environment, fetch, database),
    database,
    tokens: environment.intakeTokens,
    service_token: serviceToken,
    alert_action: alertAction(policy),
    nudge: nudger({ url, serviceToken, fetch, log: console.log, hint: hinter(database) }),
  };
  return (request) => (void bundle(), handle(request, deps));
});
