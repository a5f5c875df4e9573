import { consoleChannel } from "../_channels/console.ts";
import { telegramChannel } from "../_channels/telegram.ts";
import { deployedDatabase } from "../_database/deployed-database.ts";
import { serve } from "../_edge/serve.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { handle } from "./handler.ts";

await serve("communicator", ["SERVICE_TOKEN"], async (environment) => {
  const { botToken, apiRoot, chatId } = environment.telegram;
  const policy = await loadBundledPolicy();
  const telegram = botToken === null
    ? null
    : telegramChannel({ token: botToken, api_root: apiRoot });
  const deps = {
    database: deployedDatabase(environment),
    service_token: environment.serviceToken!,
    channels: { telegram, console: consoleChannel(console.log) },
    chat_id: chatId,
    worker: `communicator-${crypto.randomUUID()}`,
    now: () => new Date(),
    policy_sha256: policy.ok ? policy.sha256 : null,
  };
  return (request) => handle(request, deps);
});
