import { deployedDatabase } from "../_database/deployed-database.ts";
import { serve } from "../_edge/serve.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { handle } from "./handler.ts";

await serve("dags-domain-health", ["SERVICE_TOKEN"], async (environment) => {
  const policy = await loadBundledPolicy();
  const deps = {
    database: deployedDatabase(environment),
    service_token: environment.serviceToken!,
    policy_sha256: policy.ok ? policy.sha256 : null,
    mirror_configured: environment.mirrorShareId !== null,
    now: () => new Date(),
  };
  return (request) => handle(request, deps);
});
