import type { Delivery, MessageChannel, OutgoingMessage } from "../_domain/notification.ts";

/**
 * Where no bot token is set: messages are printed for whoever started the platform, and kept in the outbox like
 * any other. The writer is passed in, so that the demo and the tests can read along.
 */
export function consoleChannel(write: (text: string) => void): MessageChannel {
  let printed = 0;
  const print = (heading: string, message: OutgoingMessage): Delivery => {
    const buttons = message.buttons?.map((button) => `[${button.text}]`).join(" ");
    write([heading, message.text, ...(buttons ? [buttons] : [])].join("\n"));
    printed += 1;
    return { outcome: "sent", message_id: `console-${printed}` };
  };
  return {
    name: "console",
    send: (message) => Promise.resolve(print(`— to ${message.chat_id}`, message)),
    edit: (message) =>
      Promise.resolve({
        ...print(`— to ${message.chat_id}, instead of ${message.message_id}`, message),
        message_id: message.message_id,
      }),
    answerCallback: () => Promise.resolve({ outcome: "sent", message_id: "console-0" }),
  };
}
