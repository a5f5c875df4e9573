import { deployedDatabase } from "../_database/deployed-database.ts";
import { nudger } from "../_edge/nudge.ts";
import { serve } from "../_edge/serve.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { alertAction } from "./alert-action.ts";
import { handle } from "./handler.ts";

await serve("intake", ["INTAKE_TOKENS", "SERVICE_TOKEN"], async (environment) => {
  const deps = {
    database: deployedDatabase(environment),
    tokens: environment.intakeTokens,
    service_token: environment.serviceToken!,
    alert_action: alertAction(await loadBundledPolicy()),
    nudge: nudger({
      url: environment.supabase?.url ?? null,
      serviceToken: environment.serviceToken!,
      fetch,
      log: console.log,
    }),
  };
  return (request) => handle(request, deps);
});
