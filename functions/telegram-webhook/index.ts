import { telegramChannel } from "../_channels/telegram.ts";
import { deployedDatabase } from "../_database/deployed-database.ts";
import { serve } from "../_edge/serve.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { handle } from "./handler.ts";

const needed = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"] as const;

await serve("telegram-webhook", needed, async (environment) => {
  const { botToken, apiRoot, webhookSecret } = environment.telegram;
  const policy = await loadBundledPolicy();
  const deps = {
    database: deployedDatabase(environment),
    secret: webhookSecret!,
    username: telegramChannel({ token: botToken!, api_root: apiRoot }).username,
    channel: "telegram" as const,
    policy_sha256: policy.ok ? policy.sha256 : null,
  };
  return (request) => handle(request, deps);
});
