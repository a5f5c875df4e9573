// Run by Deno: the same calls as on Node, on connections that were used before. One line of JSON per call.
import { telegramChannel } from "../../../functions/_channels/telegram.ts";
import { BotApi } from "../../support/bot-api.ts";
import type { Misbehaviour } from "../../support/bot-api-wire.ts";

const api = await BotApi.start();
const channel = telegramChannel({ token: api.token, api_root: api.root, timeout_seconds: 1.5 });
const message = { chat_id: "5", text: "hello" };

async function report(as: string): Promise<void> {
  const before = { calls: api.called("sendMessage").length, posts: api.received(5).length };
  const delivery = await channel.send(message);
  console.log(JSON.stringify({
    as,
    outcome: delivery.outcome,
    calls: api.called("sendMessage").length - before.calls,
    posts: api.received(5).length - before.posts,
    leaks: JSON.stringify(delivery).includes(api.token),
  }));
}

const misbehaviours: Misbehaviour[] = [
  { as: "too_many_requests", retry_after: 3 },
  { as: "blocked" },
  { as: "bad_request" },
  { as: "server_error" },
  { as: "bad_gateway" },
  { as: "hang" },
  { as: "reset_before" },
  { as: "reset_after" },
];
for (const how of misbehaviours) {
  await report("warm");
  api.misbehaves("sendMessage", how);
  await report(how.as);
}
await api.refuseConnections();
await report("refused");
await api.open();
await report("open");
await api.close();
