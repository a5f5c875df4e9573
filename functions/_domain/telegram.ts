import type { Json } from "./json.ts";
import type { RefusalCode } from "./refusal.ts";
import { readCommand } from "./telegram-command.ts";
import { parseExact } from "./telegram-json.ts";
import { isForwarded, notOwnWords, notPersonal } from "./telegram-provenance.ts";
import {
  messageKinds,
  otherKinds,
  telegramCallback,
  telegramEnvelope,
  telegramJoin,
  telegramMessage,
} from "./telegram-update.ts";

export type Decision = "approve" | "reject";

/** What a person wants by an update. `why` is for the audit row, never for a decision. */
export type Intent =
  | {
    type: "approve";
    code: string;
    decision: Decision;
    reason: string | null;
    otp: string | null;
  }
  | {
    type: "button";
    nonce: string;
    decision: Decision;
    callback_id: string;
    message_id: string | null;
  }
  | { type: "stop" | "resume"; scope: "all" | "t3"; reason: string | null }
  | { type: "confirm"; code: string; decision: Decision; otp: string | null }
  | { type: "breakglass"; id: string; reason: string }
  | { type: "resolve"; effect: string; outcome: "done" | "not-done"; reason: string | null }
  | { type: "t3"; state: "on" | "off"; otp: string | null }
  | { type: "positions" | "pnl"; account: string | null }
  | { type: "join"; chat_id: string; user_id: string }
  | { type: "pending" }
  | { type: "status"; id: string }
  | { type: "help" }
  | { type: "start"; pairing_code: string | null }
  | { type: "usage"; about: Usage }
  | { type: "ignored"; why: string }
  | { type: "refused"; code: RefusalCode; why: string };

export type Usage =
  | "approve"
  | "pending"
  | "status"
  | "help"
  | "command"
  | "confirm"
  | "breakglass"
  | "resolve"
  | "t3"
  | "positions"
  | "pnl";

export interface ReadUpdate {
  update_id: string;
  kind: string;
  from_id: string | null;
  chat_id: string | null;
  intent: Intent;
  /** Set for every callback query, so that the button stops spinning whatever became of it. */
  callback_id: string | null;
  /** What was received, without names, free text, nonces or pairing codes. */
  receipt: { [key: string]: Json };
}

const buttonData = /^([yn]):([A-Za-z0-9_-]{16,40})$/;

const kindOf = (update: object): string =>
  [...messageKinds, ...otherKinds].find((kind) => Object.hasOwn(update, kind)) ?? "unknown";

type Read = Omit<ReadUpdate, "update_id" | "kind">;
const unreadable = (why: string): Read => ({
  from_id: null,
  chat_id: null,
  callback_id: null,
  intent: { type: "ignored", why },
  receipt: {},
});

/** A command that would show or change something is refused by name; idle talk elsewhere is nobody's business. */
function fromElsewhere(intent: Intent, why: string): Intent {
  const asks = !["ignored", "usage", "help", "refused"].includes(intent.type);
  if (asks) return { type: "refused", code: "sender_not_personal", why };
  return { type: "ignored", why: intent.type === "ignored" ? intent.why : why };
}

/** The command with what is secret or personal left out: a receipt says that it came, not what was confided. */
function shownText(intent: Intent, text: string): Json {
  switch (intent.type) {
    case "approve":
      return `/approve ${intent.code} ${intent.decision === "approve" ? "yes" : "no"}` +
        (intent.reason === null ? "" : " [reason]");
    case "status":
      return `/status ${intent.id}`;
    case "start":
      return intent.pairing_code === null ? "/start" : "/start [code]";
    case "pending":
    case "help":
    case "positions":
    case "pnl":
    case "resume":
    case "stop":
      return `/${intent.type}`;
    case "confirm":
      return `/confirm ${intent.code} ${intent.decision === "approve" ? "yes" : "no"}`;
    case "breakglass":
      return `/breakglass ${intent.id} [reason]`;
    case "resolve":
      return `/resolve ${intent.effect} ${intent.outcome}`;
    case "t3":
      return `/t3 ${intent.state}`;
    default:
      return `[${text.length} characters]`;
  }
}

function readMessage(kind: string, value: unknown, botUsername: string | null): Read {
  const parsed = telegramMessage.safeParse(value);
  if (!parsed.success) return unreadable("unreadable");
  const message = parsed.data;
  const { text } = message;
  const said: Intent = text === undefined
    ? { type: "ignored", why: "no_text" }
    : readCommand(text, botUsername);
  const why = notOwnWords(kind, message);
  return {
    from_id: message.from?.id ?? null,
    chat_id: message.chat.id,
    callback_id: null,
    intent: why === null ? said : fromElsewhere(said, why),
    receipt: {
      chat_type: message.chat.type ?? null,
      message_id: message.message_id ?? null,
      date: message.date ?? null,
      text: text === undefined ? null : shownText(said, text),
    },
  };
}

function readCallback(value: unknown): Read {
  const parsed = telegramCallback.safeParse(value);
  if (!parsed.success) return unreadable("unreadable");
  const { id, from, message, data } = parsed.data;
  const [, answer, nonce] = buttonData.exec(data ?? "") ?? [];
  const why = notPersonal(from, message?.chat) ??
    (message && isForwarded(message) ? "forwarded" : null);
  const intent: Intent = why !== null
    ? { type: "refused", code: "sender_not_personal", why }
    : nonce === undefined
    ? { type: "ignored", why: data === undefined ? "no_data" : "foreign_button" }
    : {
      type: "button",
      nonce,
      decision: answer === "y" ? "approve" : "reject",
      callback_id: id,
      message_id: message?.message_id ?? null,
    };
  return {
    from_id: from.id,
    chat_id: message?.chat.id ?? null,
    callback_id: id,
    intent,
    receipt: {
      chat_type: message?.chat.type ?? null,
      message_id: message?.message_id ?? null,
      data: nonce === undefined ? null : `${answer}:[nonce]`,
    },
  };
}

/** Somebody stands before a group's door. Nothing but the two numbers counts. */
function readJoin(value: unknown): Read {
  const parsed = telegramJoin.safeParse(value);
  if (!parsed.success) return unreadable("unreadable");
  const { chat, from } = parsed.data;
  return {
    from_id: from.id,
    chat_id: chat.id,
    callback_id: null,
    intent: { type: "join", chat_id: chat.id, user_id: from.id },
    receipt: { chat_type: chat.type ?? null },
  };
}

/**
 * Reads the raw body of one Telegram update. Null means that it is none (no JSON object with an update_id);
 * everything else is a readable update, however strange, and is recorded.
 */
export function readUpdate(raw: string, botUsername: string | null): ReadUpdate | null {
  let parsed: unknown;
  try {
    parsed = parseExact(raw);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const envelope = telegramEnvelope.safeParse(parsed);
  if (!envelope.success) return null;
  const { update_id } = envelope.data;
  const update = parsed as Record<string, unknown>;
  const kind = kindOf(update);
  const value = update[kind];
  const read = (messageKinds as readonly string[]).includes(kind)
    ? readMessage(kind, value, botUsername)
    : kind === "callback_query"
    ? readCallback(value)
    : kind === "chat_join_request"
    ? readJoin(value)
    : unreadable(kind);
  return { update_id, kind, ...read, receipt: { update_id, kind, ...read.receipt } };
}
