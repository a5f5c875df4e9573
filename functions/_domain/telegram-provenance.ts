import type { TelegramMessage } from "./telegram-update.ts";

/**
 * Accounts that Telegram itself puts into `from` when no person spoke: service notifications and automatic
 * forwards, anonymous group admins, posts in the name of a channel.
 */
export const placeholderSenders: ReadonlySet<string> = new Set([
  "777000",
  "1087968824",
  "136817688",
]);

const isSet = (value: unknown) => value !== undefined && value !== null && value !== false;

type Sender = { id: string; is_bot?: boolean | undefined };

/** Why the sender is not one person in their own private chat, or null. There the chat's id is the person's. */
export function notPersonal(
  sender: Sender | undefined,
  chat: { id: string; type?: string | undefined } | undefined,
): string | null {
  if (!sender) return "no_sender";
  if (placeholderSenders.has(sender.id)) return "placeholder_sender";
  if (sender.is_bot) return "bot_sender";
  if (!/^[1-9]/.test(sender.id)) return "no_sender";
  if (!chat || chat.type !== "private") return "not_private";
  if (chat.id !== sender.id) return "wrong_chat";
  return null;
}

/** Why the words are not the sender's own, typed just now in the private chat, or null. */
export function notOwnWords(kind: string, message: TelegramMessage): string | null {
  if (kind !== "message") return kind;
  if (isSet(message.sender_chat)) return "sender_chat";
  if (isSet(message.business_connection_id) || isSet(message.sender_business_bot)) {
    return "business";
  }
  if (isSet(message.via_bot)) return "via_bot";
  if (isSet(message.edit_date)) return "edited";
  if (isForwarded(message)) return "forwarded";
  if (isSet(message.quote) || isSet(message.external_reply) || isSet(message.reply_to_story)) {
    return "quote";
  }
  if (message.entities?.some((entity) => entity.type.endsWith("blockquote"))) return "quote";
  return notPersonal(message.from, message.chat);
}

export const isForwarded = (message: TelegramMessage): boolean =>
  isSet(message.forward_origin) || isSet(message.forward_from) ||
  isSet(message.forward_from_chat) ||
  isSet(message.forward_sender_name) || isSet(message.forward_date) ||
  isSet(message.is_automatic_forward);
