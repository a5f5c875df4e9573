import { consoleChannel } from "../_channels/console.ts";
import { deployedDatabase } from "../_database/deployed-database.ts";
import { heartbeat } from "../_database/heartbeat.ts";
import { serve } from "../_edge/serve.ts";
import { carry } from "../_policy/bundle-report.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { handle } from "./handler.ts";
import { doorkeepingOf, needsOf } from "./outside.ts";

await serve("communicator", ["SERVICE_TOKEN"], async (environment) => {
  const database = deployedDatabase(environment);
  const policy = await loadBundledPolicy();
  const { telegram, ...door } = doorkeepingOf({ environment, database, policy, fetch });
  const [now, worker] = [() => new Date(), `communicator-${crypto.randomUUID()}`];
  const beats = heartbeat({ database, worker, now, ...needsOf(telegram) });
  const deps = {
    ...{ ...door, database, worker, now, heartbeat: beats },
    bundle: carry("communicator", database, policy),
    service_token: environment.serviceToken!,
    channels: { telegram, console: consoleChannel(console.log) },
    chat_id: environment.telegram.chatId,
    policy_sha256: policy.ok ? policy.sha256 : null,
  };
  return (request) => handle(request, deps);
});
