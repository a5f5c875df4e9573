import { consoleChannel } from "../_channels/console.ts";
import { deployedDatabase } from "../_database/deployed-database.ts";
import { serve } from "../_edge/serve.ts";
import { carry } from "../_policy/bundle-report.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { handle } from "./handler.ts";
import { doorkeepingOf } from "./outside.ts";

await serve("communicator", ["SERVICE_TOKEN"], async (environment) => {
  const database = deployedDatabase(environment);
  const policy = await loadBundledPolicy();
  const { telegram, ...door } = doorkeepingOf({ environment, database, policy, fetch });
  const deps = {
    ...door,
    database,
    bundle: carry("communicator", database, policy),
    service_token: environment.serviceToken!,
    channels: { telegram, console: consoleChannel(console.log) },
    chat_id: environment.telegram.chatId,
    worker: `communicator-${crypto.randomUUID()}`,
    now: () => new Date(),
    policy_sha256: policy.ok ? policy.sha256 : null,
  };
  return (request) => handle(request, deps);
});
