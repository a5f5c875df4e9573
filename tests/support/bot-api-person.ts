import { bot, type Chats, wireChat, wireMessage } from "./bot-api-chats.ts";
import type { Updates } from "./bot-api-updates.ts";

/**
 * A person with a phone. Each act becomes the update that Telegram would make of it; the promise ends when the
 * webhook has answered (at once with polling).
 */
export class Person {
  readonly id: number;
  readonly chat_id: string;
  static #message = 5000;
  static #callback = 1;

  constructor(id: number | string, readonly chats: Chats, readonly updates: Updates) {
    this.id = Number(id);
    this.chat_id = String(id);
  }

  get user() {
    return {
      id: this.id,
      is_bot: false,
      first_name: `Person ${this.id}`,
      language_code: "en",
    };
  }

  /** Writes to the bot in the private chat. `more` adds or replaces fields of the message. */
  says(text: string, more: Record<string, unknown> = {}): Promise<void> {
    return this.updates.add({ message: this.message(text, more) });
  }

  /** The message that `says` sends, for tests that wrap it otherwise. */
  message(text: string, more: Record<string, unknown> = {}): Record<string, unknown> {
    const command = /^\/[A-Za-z0-9_]+(@\w+)?/.exec(text);
    return {
      message_id: ++Person.#message,
      from: this.user,
      chat: wireChat(this.chat_id),
      date: Math.floor(Date.now() / 1000),
      text,
      ...(command
        ? { entities: [{ offset: 0, length: command[0].length, type: "bot_command" }] }
        : {}),
      ...more,
    };
  }

  /** Taps a button of the newest card that has it, by its text or its data. */
  taps(button: string): Promise<void> {
    const found = this.chats.button(this.chat_id, button);
    if (!found) throw new Error(`person ${this.id} sees no button "${button}"`);
    return this.updates.add({
      callback_query: {
        id: `40${Person.#callback++}`,
        from: this.user,
        message: wireMessage(found.message),
        chat_instance: `-${this.id}`,
        data: found.button.callback_data,
      },
    });
  }

  blocks(): void {
    this.chats.closed.add(this.chat_id);
  }

  unblocks(): void {
    this.chats.closed.delete(this.chat_id);
  }

  /** What the bot has said to this person, oldest first, as it reads now. */
  get reads(): string[] {
    return this.chats.messages.filter((message) => message.chat_id === this.chat_id)
      .map((message) => message.text);
  }

  get buttons(): string[] {
    return this.chats.messages.filter((message) => message.chat_id === this.chat_id)
      .flatMap((message) => message.buttons.map((button) => button.text));
  }
}

export { bot };
