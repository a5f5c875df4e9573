import { readUpdate } from "../../functions/_domain/telegram.ts";
import type { BotApi } from "./bot-api.ts";
import type { TestDatabase } from "./database.ts";
import { handle, policySha256 } from "./line.ts";
import { vipChat } from "./payments.ts";

/** Somebody asks to join the VIP chat; the update that Telegram makes of it is read and handed on as the webhook does. */
export async function asksToJoin(db: TestDatabase, api: BotApi, user: string): Promise<void> {
  await api.asksToJoin(user, vipChat);
  const updates = `${api.root}/bot${api.token}/getUpdates`;
  const { result } = await (await fetch(updates)).json() as { result: { update_id: number }[] };
  for (const update of result) {
    const { callback_id: _, ...read } = readUpdate(JSON.stringify(update), null)!;
    await handle(db, {
      ...read,
      channel: "telegram",
      policy_sha256: policySha256,
      vip_chat_id: vipChat,
    });
  }
  const next = (result.at(-1)?.update_id ?? -1) + 1;
  await fetch(`${updates}?offset=${next}`);
}
