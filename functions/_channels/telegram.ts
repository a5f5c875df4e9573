import { Api, GrammyError, HttpError } from "grammy/web";
import type { Delivery, MessageChannel, OutgoingMessage } from "../_domain/notification.ts";
import { wasNeverConnected } from "./never-connected.ts";

/** How long one call may take before its outcome counts as unseen. Shorter than a lease. */
const defaultTimeoutSeconds = 10;
/** What is certainly not done and carries no retry_after of its own. */
const pauseSeconds = 5;

export interface TelegramOptions {
  token: string;
  api_root: string;
  timeout_seconds?: number;
  fetch?: typeof fetch;
}

export interface TelegramChannel extends MessageChannel {
  readonly name: "telegram";
  /** The bot's own @name, asked once; null while Telegram does not answer. */
  username(): Promise<string | null>;
  /** Takes a message away; one that is not there any more is taken away. */
  deleteMessage(message: { chat_id: string; message_id: string }): Promise<Delivery>;
}

/**
 * A request that leaves at most once. Deno's fetch sends a POST again when a kept connection closes before the
 * answer, although the first may have been carried out (measured with 2.9: one call, two posts). A body that
 * streams cannot be sent a second time.
 */
export const once = (send: typeof fetch): typeof fetch => (input, init) => {
  if (typeof init?.body !== "string") return send(input, init);
  const streamed = { ...init, body: new Blob([init.body]).stream(), duplex: "half" };
  return send(input, streamed as RequestInit);
};

function ofAnswer(error: GrammyError): Delivery {
  const { error_code, description, parameters } = error;
  const said = `${error_code}: ${description}`;
  if (error_code === 429) {
    return {
      outcome: "retry",
      retry_after: Math.max(1, parameters.retry_after ?? pauseSeconds),
      error: said,
    };
  }
  // A server that stumbled may have posted before it did: only a refusal with a reason is certainly not done.
  if (error_code >= 500) return { outcome: "unknown", error: said };
  if (error_code === 403) return { outcome: "blocked", error: said };
  return { outcome: "failed", error: said };
}

// The error of a failed fetch holds the URL, and the URL holds the token: only our own words leave this function.
function ofFailure(error: unknown): Delivery {
  const inner = error instanceof HttpError ? error.error : error;
  if (wasNeverConnected(inner)) {
    return {
      outcome: "retry",
      retry_after: pauseSeconds,
      error: "Telegram could not be reached",
      unreached: true,
    };
  }
  if (inner instanceof SyntaxError) {
    return { outcome: "unknown", error: "the answer was not Telegram's" };
  }
  return { outcome: "unknown", error: "the connection ended before an answer" };
}

export async function deliver(call: () => Promise<string>): Promise<Delivery> {
  try {
    return { outcome: "sent", message_id: await call() };
  } catch (error) {
    return error instanceof GrammyError ? ofAnswer(error) : ofFailure(error);
  }
}

const keyboard = (message: OutgoingMessage) => ({
  ...(message.buttons ? { reply_markup: { inline_keyboard: [message.buttons] } } : {}),
  link_preview_options: { is_disabled: true },
});

/** Telegram through grammY's Api. It never retries by itself: whether to try again is the outbox's decision. */
export function telegramChannel(options: TelegramOptions): TelegramChannel {
  // grammY's web build: its Node build reads the environment, which the narrow permissions of Deno refuse.
  const api = new Api(options.token, {
    apiRoot: options.api_root.replace(/\/+$/, ""),
    timeoutSeconds: options.timeout_seconds ?? defaultTimeoutSeconds,
    fetch: once(options.fetch ?? fetch),
  });
  let username: string | null = null;
  return {
    name: "telegram",
    async username() {
      if (username === null) {
        const asked = await deliver(async () => (await api.getMe()).username);
        if (asked.outcome === "sent") username = asked.message_id;
      }
      return username;
    },
    send: (message) =>
      deliver(async () => {
        const sent = await api.sendMessage(message.chat_id, message.text, keyboard(message));
        return String(sent.message_id);
      }),
    async edit(message) {
      const id = Number(message.message_id);
      if (!Number.isSafeInteger(id)) return { outcome: "failed", error: "no such message" };
      const edited = await deliver(async () => {
        await api.editMessageText(message.chat_id, id, message.text, keyboard(message));
        return message.message_id;
      });
      // The text is already there: an earlier edit arrived although its answer did not.
      const isThere = edited.outcome === "failed" &&
        edited.error.includes("message is not modified");
      return isThere ? { outcome: "sent", message_id: message.message_id } : edited;
    },
    async deleteMessage({ chat_id, message_id }) {
      const id = Number(message_id);
      if (!Number.isSafeInteger(id)) return { outcome: "failed", error: "no such message" };
      const deleted = await deliver(async () => {
        await api.deleteMessage(chat_id, id);
        return message_id;
      });
      const isGone = deleted.outcome === "failed" &&
        deleted.error.includes("message to delete not found");
      return isGone ? { outcome: "sent", message_id } : deleted;
    },
    answerCallback: (answer) =>
      deliver(async () => {
        await api.answerCallbackQuery(answer.callback_query_id, { text: answer.text });
        return answer.callback_query_id;
      }),
  };
}
