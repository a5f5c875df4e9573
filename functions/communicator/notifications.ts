import type { Database } from "../_database/database.ts";
import type { Heartbeat } from "../_database/heartbeat.ts";
import { approvalButtons, approvalCardText, cardResultText } from "../_domain/card.ts";
import {
  announcement,
  approvalCard,
  cardResult,
  type ClaimedNotification,
  claimedNotification,
  type Delivery,
  type MessageChannel,
  type OutgoingMessage,
  reply,
} from "../_domain/notification.ts";
import { mask } from "../_domain/mask.ts";
import { announcementText, replyText } from "../_domain/reply.ts";
import { deleteMessage } from "./deletion.ts";
import { membershipChores, type MembershipDeps } from "./membership.ts";

export interface NotificationDeps extends MembershipDeps {
  database: Database;
  channels: { telegram: MessageChannel | null; console: MessageChannel };
  /** Names this worker in the claims. */
  worker: string;
  now: () => Date;
  heartbeat?: Heartbeat;
}

const batch = 10;

/** A receiver that asks for a pause limits us; one that was not heard is away. Whatever it answered, it is there. */
const conditionOf = ({ outcome }: Delivery): string | null =>
  outcome === "retry" ? "rate_limited" : outcome === "unknown" ? "unavailable" : null;

type Content = Pick<OutgoingMessage, "text" | "buttons">;

/** The message of a notification, or null where its payload cannot be read. */
function render({ kind, payload }: ClaimedNotification): Content | null {
  switch (kind) {
    case "approval_card":
      return cardContent(payload);
    case "card_result": {
      const card = cardResult.safeParse(payload);
      if (!card.success) return null;
      // One of two has decided: the card stays a card, for the others still need its buttons.
      return card.data.status === "open"
        ? cardContent(payload)
        : { text: mask(cardResultText(card.data)) };
    }
    case "reply": {
      const answer = reply.safeParse(payload);
      if (!answer.success) return null;
      // A person's own id is all that a stranger is told, and it may look like a telephone number.
      const text = replyText(answer.data);
      return { text: answer.data.reply === "stranger" ? text : mask(text) };
    }
    case "announcement": {
      const news = announcement.safeParse(payload);
      return news.success ? { text: mask(announcementText(news.data)) } : null;
    }
    default:
      return null;
  }
}

function cardContent(payload: unknown): Content | null {
  const card = approvalCard.safeParse(payload);
  if (!card.success) return null;
  return { text: mask(approvalCardText(card.data)), buttons: approvalButtons(card.data) };
}

interface Chat {
  channel: MessageChannel;
  chat_id: string;
}

const numericChat = /^-?[1-9]\d{0,19}$/;

/**
 * Telegram for whoever has a chat with the bot; the operators' console for the rest. What nobody is there to read is
 * printed, not posted: TELEGRAM_CHAT_ID is the public's channel, and this is the house's own talk.
 */
function route(deps: NotificationDeps, recipient: string | null): Chat {
  const { telegram, console } = deps.channels;
  return telegram !== null && recipient !== null && numericChat.test(recipient)
    ? { channel: telegram, chat_id: recipient }
    : { channel: console, chat_id: recipient ?? "the operators" };
}

/** What is done to a chat rather than said in it, by kind of notification. */
type Chore = (deps: NotificationDeps, chat: Chat, payload: unknown) => Promise<Delivery>;
const chores: Record<string, Chore> = { deletion: deleteMessage, ...membershipChores };

async function deliver(
  deps: NotificationDeps,
  notification: ClaimedNotification,
  chat: Chat,
): Promise<Delivery> {
  const { kind, payload, edit_message_id } = notification;
  if (Object.hasOwn(chores, kind)) return await chores[kind](deps, chat, payload);
  const { channel, chat_id } = chat;
  const content = render(notification);
  if (content === null) return { outcome: "failed", error: "the payload is not readable" };
  if (edit_message_id === null) return await channel.send({ chat_id, ...content });
  const edited = await channel.edit({ chat_id, message_id: edit_message_id, ...content });
  // The card is gone or too old to edit: the result is told in a message of its own.
  return edited.outcome === "failed" ? await channel.send({ chat_id, ...content }) : edited;
}

/**
 * A notification whose arrival was not seen is sent again: a card twice is a nuisance, a card never is a decision
 * that nobody could take. Effects are the opposite, see effects.ts.
 */
const recorded = (delivery: Delivery) =>
  delivery.outcome === "unknown"
    ? { outcome: "retry", retry_after: 5, error: delivery.error }
    : delivery;

/** Claims a batch, sends it, records each outcome as soon as it is known. Returns how many were claimed. */
export async function deliverNotifications(
  deps: NotificationDeps,
  hasTime: () => boolean,
): Promise<number> {
  const claimed = await deps.database.call<unknown[]>("claim_notifications", {
    p_worker: deps.worker,
    p_limit: batch,
  });
  // A chat that asked for a pause gets it for all that is still in hand.
  const paused = new Map<string, Delivery>();
  for (const row of claimed) {
    const notification = claimedNotification.parse(row);
    const chat = route(deps, notification.recipient);
    const { channel, chat_id } = chat;
    const delivery: Delivery = !hasTime()
      ? { outcome: "retry", retry_after: 1, error: "the tick's time was used up" }
      : paused.get(chat_id) ?? await deliver(deps, notification, chat);
    if (delivery.outcome === "retry") paused.set(chat_id, delivery);
    if (hasTime()) deps.heartbeat?.noted("communicator", conditionOf(delivery));
    await deps.database.call("complete_notifications", {
      p_results: [{
        notification_id: notification.notification_id,
        attempt: notification.attempt,
        channel: channel.name,
        ...recorded(delivery),
      }],
    });
  }
  return claimed.length;
}
