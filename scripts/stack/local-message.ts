import { handle } from "../../functions/telegram-webhook/handler.ts";
import { Sentence } from "./sentence.ts";
import type { Store } from "./store.ts";
import type { Wiring } from "./wiring.ts";

export interface LocalMessage {
  /** What the member would write to the bot, such as `/stop t3 the exchange is down`. */
  text: string;
  /** A member's name. */
  as: string;
}

interface Member {
  name: string;
  telegram_user_id: string | null;
}

/**
 * Stands in for a phone where there is none: builds the update that a member's message would be and posts it through
 * the webhook. The decision is marked `local-simulated` and unlocks no effect to an outside channel, and where a bot
 * is set up nothing is simulated at all.
 */
export async function sayLocally(
  wiring: Wiring,
  store: Store,
  said: LocalMessage,
): Promise<unknown> {
  if (store.kind !== "embedded" || wiring.channels.telegram !== null) {
    throw new Sentence(
      "Decisions are simulated only on the embedded database without TELEGRAM_BOT_TOKEN: decide in Telegram.",
    );
  }
  const members = await store.administer<Member[]>("list_members");
  const member = members.find(({ name }) => name.toLowerCase() === said.as.toLowerCase());
  if (!member) {
    throw new Sentence(`No active member is called ${said.as}: npm run ags -- members list`);
  }
  if (member.telegram_user_id === null) {
    throw new Sentence(`${member.name} has no Telegram id, so no message of theirs would count.`);
  }
  // The answer to Telegram says only that the update was recorded; what came of it is the call's result.
  let handled: unknown = null;
  const database = {
    ...wiring.database,
    async call<T>(name: string, args?: Record<string, unknown>): Promise<T> {
      const result = await wiring.database.call<T>(name, args);
      if (name === "decide" || name === "handle_update") handled = result;
      return result;
    },
  };
  const response = await handle(
    updateRequest(member.telegram_user_id, said, wiring.webhook_secret),
    {
      database,
      secret: wiring.webhook_secret,
      username: () => Promise.resolve(null),
      channel: "local-simulated",
      policy_sha256: wiring.policy_sha256,
      signer: wiring.signer,
      seeds: wiring.seeds,
      vip_chat_id: wiring.vip_chat_id,
      now: wiring.now,
    },
  );
  if (!response.ok) throw new Sentence(`The update was not recorded (${response.status}).`);
  return handled;
}

function updateRequest(telegramId: string, said: LocalMessage, secret: string): Request {
  const now = Date.now();
  const person = { id: Number(telegramId), is_bot: false, first_name: said.as };
  const update = {
    update_id: now * 1000 + crypto.getRandomValues(new Uint16Array(1))[0] % 1000,
    message: {
      message_id: 1 + now % 1_000_000_000,
      from: person,
      chat: { id: person.id, type: "private", first_name: said.as },
      date: Math.floor(now / 1000),
      text: said.text,
      entities: [{ type: "bot_command", offset: 0, length: /^\S*/.exec(said.text)![0].length }],
    },
  };
  return new Request("http://localhost/functions/v1/telegram-webhook", {
    method: "POST",
    headers: { "content-type": "application/json", "x-telegram-bot-api-secret-token": secret },
    body: JSON.stringify(update),
  });
}
