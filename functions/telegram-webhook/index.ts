import { telegramChannel } from "../_channels/telegram.ts";
import { deployedDatabase } from "../_database/deployed-database.ts";
import { serve } from "../_edge/serve.ts";
import { carry } from "../_policy/bundle-report.ts";
import { loadBundledPolicy } from "../_policy/bundled-policy.ts";
import { decisionKeys } from "./decision.ts";
import { handle } from "./handler.ts";

const needed = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"] as const;

await serve("telegram-webhook", needed, async (environment) => {
  const { botToken, apiRoot, webhookSecret } = environment.telegram;
  const policy = await loadBundledPolicy();
  const database = deployedDatabase(environment);
  const bundle = carry("telegram-webhook", database, policy);
  const { username } = telegramChannel({ token: botToken!, api_root: apiRoot });
  const policy_sha256 = policy.ok ? policy.sha256 : null;
  const now = () => new Date();
  const keys = decisionKeys(environment.keys);
  const vip_chat_id = environment.vipChatId;
  const shared = { database, username, policy_sha256, vip_chat_id, now, ...keys };
  const deps = { ...shared, secret: webhookSecret!, channel: "telegram" as const };
  return (request) => (void bundle(), handle(request, deps));
});
