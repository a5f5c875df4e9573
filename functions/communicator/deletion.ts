import { z } from "zod";
import type { Delivery, MessageChannel } from "../_domain/notification.ts";

const payload = z.object({ message_id: z.string().regex(/^[1-9]\d{0,15}$/) });

interface CanDelete {
  deleteMessage(message: { chat_id: string; message_id: string }): Promise<Delivery>;
}

const canDelete = (channel: object): channel is CanDelete => "deleteMessage" in channel;

/** Takes a message away that held a code. On a console there is none to take away. */
export async function deleteMessage(
  _deps: unknown,
  { channel, chat_id }: { channel: MessageChannel; chat_id: string },
  content: unknown,
): Promise<Delivery> {
  const read = payload.safeParse(content);
  if (!read.success) return { outcome: "failed", error: "the payload is not readable" };
  if (!canDelete(channel)) {
    return { outcome: "failed", error: `${channel.name} takes no message back` };
  }
  return await channel.deleteMessage({ chat_id, message_id: read.data.message_id });
}
