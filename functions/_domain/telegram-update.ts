import { z } from "zod";
import { telegramId } from "./telegram-json.ts";

/** The kinds of update that carry a message. Only the first can be a person speaking to the bot. */
export const messageKinds = [
  "message",
  "edited_message",
  "channel_post",
  "edited_channel_post",
  "business_message",
  "edited_business_message",
  "guest_message",
] as const;

/** Every other kind that the Bot API names; what is not here is recorded as `unknown`. */
export const otherKinds = [
  "callback_query",
  "business_connection",
  "deleted_business_messages",
  "message_reaction",
  "message_reaction_count",
  "inline_query",
  "chosen_inline_result",
  "shipping_query",
  "pre_checkout_query",
  "purchased_paid_media",
  "poll",
  "poll_answer",
  "my_chat_member",
  "chat_member",
  "chat_join_request",
  "chat_boost",
  "removed_chat_boost",
  "managed_bot",
] as const;

const user = z.object({ id: telegramId, is_bot: z.boolean().optional() });
const chat = z.object({ id: telegramId, type: z.string().max(32).optional() });

// What says that the words are not the sender's own is only asked for its presence: its shape changes over time.
const present = z.unknown().optional();

/** As much of a message as this platform believes in; everything else in it is dropped unread. */
export const telegramMessage = z.object({
  message_id: telegramId.optional(),
  date: z.number().optional(),
  chat,
  from: user.optional(),
  text: z.string().optional(),
  entities: z.array(z.object({ type: z.string() })).optional().catch(undefined),
  sender_chat: present,
  sender_business_bot: present,
  business_connection_id: present,
  via_bot: present,
  edit_date: present,
  forward_origin: present,
  forward_from: present,
  forward_from_chat: present,
  forward_sender_name: present,
  forward_date: present,
  is_automatic_forward: present,
  quote: present,
  external_reply: present,
  reply_to_story: present,
});
export type TelegramMessage = z.infer<typeof telegramMessage>;

/** `message` may be inaccessible to the bot (date 0, no text): its chat still says where the tap happened. */
export const telegramCallback = z.object({
  id: z.string().regex(/^[!-~]{1,64}$/),
  from: user,
  message: telegramMessage.optional().catch(undefined),
  data: z.string().optional(),
});
export type TelegramCallback = z.infer<typeof telegramCallback>;

export const telegramJoin = z.object({ chat, from: user });

export const telegramEnvelope = z.object({
  update_id: telegramId.pipe(z.string().regex(/^\d+$/)),
});
