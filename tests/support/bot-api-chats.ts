import { type Answer, done, fault } from "./bot-api-wire.ts";

export interface InlineButton {
  text: string;
  callback_data: string;
}

/** A message as the server keeps it. `buttons` are flattened rows. */
export interface KeptMessage {
  message_id: number;
  chat_id: string;
  date: number;
  text: string;
  buttons: InlineButton[];
  /** How often it was edited. */
  edits: number;
}

export const bot = {
  id: 7000000001,
  is_bot: true,
  first_name: "Dynamic AGS",
  username: "dynamic_ags_bot",
};

type Parameters = Record<string, unknown>;
const textLimit = 4096;
const dataLimit = 64;

/** The chats of one bot: what it sent, what became of it. Answers are worded as Telegram words them. */
export class Chats {
  readonly messages: KeptMessage[] = [];
  /** Chats that refuse the bot: it was blocked, or never started. */
  readonly closed = new Set<string>();
  /** Messages that the bot took away, persons' own included. */
  readonly removed: { chat_id: string; message_id: number }[] = [];
  #lastMessageId = 100;

  send(parameters: Parameters): Answer {
    const chat_id = String(parameters.chat_id ?? "");
    if (!/^(-?\d+|@\w+)$/.test(chat_id)) return fault(400, "Bad Request: chat not found");
    if (this.closed.has(chat_id)) return fault(403, "Forbidden: bot was blocked by the user");
    const problem = this.#problem(parameters);
    if (problem) return problem;
    const message: KeptMessage = {
      message_id: ++this.#lastMessageId,
      chat_id,
      date: Math.floor(Date.now() / 1000),
      text: String(parameters.text),
      buttons: buttonsOf(parameters),
      edits: 0,
    };
    this.messages.push(message);
    return done(wireMessage(message));
  }

  edit(parameters: Parameters): Answer {
    const problem = this.#problem(parameters);
    if (problem) return problem;
    const message = this.messages.find((kept) =>
      kept.chat_id === String(parameters.chat_id) &&
      kept.message_id === Number(parameters.message_id)
    );
    if (!message) return fault(400, "Bad Request: message to edit not found");
    const text = String(parameters.text);
    const buttons = buttonsOf(parameters);
    if (message.text === text && JSON.stringify(message.buttons) === JSON.stringify(buttons)) {
      return fault(
        400,
        "Bad Request: message is not modified: specified new message content and reply markup " +
          "are exactly the same as a current content and reply markup of the message",
      );
    }
    Object.assign(message, { text, buttons, edits: message.edits + 1 });
    return done({ ...wireMessage(message), edit_date: Math.floor(Date.now() / 1000) });
  }

  /** Takes a message away, the bot's own or one that a person wrote to it in private. */
  remove(parameters: Parameters): Answer {
    const [chat_id, message_id] = [String(parameters.chat_id), Number(parameters.message_id)];
    if (!Number.isSafeInteger(message_id) || message_id < 1) {
      return fault(400, "Bad Request: message to delete not found");
    }
    const at = this.messages.findIndex((kept) =>
      kept.chat_id === chat_id && kept.message_id === message_id
    );
    if (at >= 0) this.messages.splice(at, 1);
    this.removed.push({ chat_id, message_id });
    return done(true);
  }

  /** The newest message of a chat that has a button answering to this text or data. */
  button(chat_id: string, wanted: string): { message: KeptMessage; button: InlineButton } | null {
    for (const message of this.messages.filter((kept) => kept.chat_id === chat_id).reverse()) {
      const button = message.buttons.find(({ text, callback_data }) =>
        text.toLowerCase() === wanted.toLowerCase() || callback_data === wanted
      );
      if (button) return { message, button };
    }
    return null;
  }

  #problem(parameters: Parameters): Answer | null {
    const { text } = parameters;
    if (typeof text !== "string" || text.trim() === "") {
      return fault(400, "Bad Request: message text is empty");
    }
    if (text.length > textLimit) return fault(400, "Bad Request: message is too long");
    const tooLong = buttonsOf(parameters).some(({ callback_data }) => {
      const bytes = new TextEncoder().encode(callback_data).length;
      return bytes < 1 || bytes > dataLimit;
    });
    return tooLong ? fault(400, "Bad Request: BUTTON_DATA_INVALID") : null;
  }
}

function buttonsOf(parameters: Parameters): InlineButton[] {
  const given = parameters.reply_markup;
  const markup = typeof given === "string" ? JSON.parse(given) : given;
  return (markup?.inline_keyboard ?? []).flat();
}

export const isPrivate = (chat_id: string): boolean => /^[1-9]/.test(chat_id);

export const wireChat = (chat_id: string) =>
  isPrivate(chat_id)
    ? { id: Number(chat_id), first_name: `Person ${chat_id}`, type: "private" }
    : { id: Number(chat_id) || -1, title: "Announcements", type: "supergroup" };

export const wireMessage = (message: KeptMessage) => ({
  message_id: message.message_id,
  from: bot,
  chat: wireChat(message.chat_id),
  date: message.date,
  text: message.text,
  ...(message.buttons.length > 0 ? { reply_markup: { inline_keyboard: [message.buttons] } } : {}),
});
