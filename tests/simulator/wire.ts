import type { SayGuise, TapGuise } from "./act.ts";
import { type Figure, groupChat } from "./cast.ts";

/** An id that is written as a bare number, however long: JSON.stringify would round it or put it in quotes. */
export const bare = (id: string): string => `#bare:${id}#`;
export const wireJson = (value: unknown): string =>
  JSON.stringify(value).replace(/"#bare:(-?\d+)#"/g, "$1");

type Fields = Record<string, unknown>;

const user = (figure: Figure): Fields => ({
  id: bare(figure.id),
  is_bot: false,
  first_name: figure.name,
  username: figure.name.replace("-", "_"),
  language_code: "en",
});
const privately = (figure: Figure): Fields => ({
  id: bare(figure.id),
  first_name: figure.name,
  type: "private",
});
const group = { id: bare(groupChat), title: "Desk", type: "supergroup" };
const channel = { id: bare("-1003000000001"), title: "News", type: "channel" };
const own = (id: string, name: string): Fields => ({
  id: bare(id),
  is_bot: true,
  first_name: name,
  username: `${name}Bot`,
});

export interface Said {
  who: Figure;
  /** Somebody else, for what is forwarded or sent to the wrong chat. */
  other: Figure;
  /** The account of Telegram's own that is a member in this play. */
  anon: Figure;
  text: string;
  guise: SayGuise;
  message_id: number;
  date: number;
}

/** The update, without its id, that Telegram would make of these words. */
export function sayUpdate(said: Said): Fields {
  const { who, other, anon, text, guise, message_id, date } = said;
  const command = /^\/[A-Za-z0-9_]+(@\w+)?/.exec(text);
  const plain: Fields = {
    message_id,
    from: user(who),
    chat: privately(who),
    date,
    text,
    ...(command
      ? { entities: [{ offset: 0, length: command[0].length, type: "bot_command" }] }
      : {}),
  };
  const with_ = (more: Fields): Fields => ({ message: { ...plain, ...more } });
  const origin = { type: "user", sender_user: user(other), date };
  switch (guise) {
    case "plain":
    case "addressed to our bot":
      return with_({});
    case "reply to the card":
      return with_({
        reply_to_message: {
          message_id: 1,
          chat: privately(who),
          date,
          text: "T2 PUBLISH needs a decision\n/approve T2-20270101-0001 yes",
        },
      });
    case "forwarded":
      return with_({ forward_origin: origin });
    case "forwarded in the old fields":
      return with_({ forward_from: user(other), forward_date: date });
    case "edited":
      return { edited_message: { ...plain, edit_date: date } };
    case "with an edit date":
      return with_({ edit_date: date });
    case "via an inline bot":
      return with_({ via_bot: own("200000001", "Inline") });
    case "with a quote":
      return with_({ quote: { text: "yes", position: 0, is_manual: true } });
    case "with an external reply":
      return with_({ external_reply: { origin, message_id: 4 } });
    case "inside a blockquote":
      return with_({
        entities: [{ offset: 0, length: text.length, type: "expandable_blockquote" }],
      });
    case "in a group":
      return with_({ chat: group });
    case "in somebody else's chat":
      return with_({ chat: privately(other) });
    case "as a channel post": {
      const { from: _, ...post } = plain;
      return { channel_post: { ...post, chat: channel, sender_chat: channel } };
    }
    case "in the name of a channel":
      return with_({ from: own("136817688", "Channel"), chat: group, sender_chat: channel });
    case "by an anonymous admin":
      return with_({ from: own("1087968824", "GroupAnonymous"), chat: group, sender_chat: group });
    case "by the service account":
      return with_({
        from: { id: bare("777000"), is_bot: false, first_name: "Telegram" },
        chat: group,
        sender_chat: channel,
        is_automatic_forward: true,
      });
    case "by an account of Telegram's own, privately":
      return with_({ from: user(anon), chat: privately(anon) });
    case "over a business connection":
      return { business_message: { ...plain, business_connection_id: "bc-1" } };
    case "marked as a bot":
      return with_({ from: { ...user(who), is_bot: true } });
    case "without a sender": {
      const { from: _, ...nobody } = plain;
      return { message: nobody };
    }
  }
}

export interface Tapped {
  who: Figure;
  other: Figure;
  anon: Figure;
  data: string;
  guise: TapGuise;
  callback_id: string;
  message_id: number;
  date: number;
}

export function tapUpdate(tapped: Tapped): Fields {
  const { who, other, anon, data, guise, callback_id, message_id, date } = tapped;
  const bot = own("7000000001", "dynamic_ags_");
  const card: Fields = { message_id, from: bot, chat: privately(who), date, text: "a card" };
  const query: Fields = {
    id: callback_id,
    from: user(who),
    message: card,
    chat_instance: `-${message_id}`,
    data,
  };
  const with_ = (more: Fields): Fields => ({ callback_query: { ...query, ...more } });
  switch (guise) {
    case "plain":
      return with_({});
    case "on a card too old to read":
      return with_({ message: { chat: privately(who), message_id, date: 0 } });
    case "on a forwarded card":
      return with_({
        message: { ...card, forward_origin: { type: "user", sender_user: user(other), date } },
      });
    case "in a group":
      return with_({ message: { ...card, chat: group } });
    case "in somebody else's chat":
      return with_({ message: { ...card, chat: privately(other) } });
    case "on an inline message": {
      const { message: _, ...inline } = query;
      return { callback_query: { ...inline, inline_message_id: "AQAAAA" } };
    }
    case "marked as a bot":
      return with_({ from: { ...user(who), is_bot: true } });
    case "by an account of Telegram's own, privately":
      return with_({ from: user(anon), message: { ...card, chat: privately(anon) } });
    case "with an invented nonce":
      return with_({ data: `${data.slice(0, 2)}${"0123456789abcdef".repeat(2)}` });
    case "with foreign data":
      return with_({ data: `approve:${data.slice(2, 40)}` });
    case "without data": {
      const { data: _, ...mute } = query;
      return { callback_query: mute };
    }
  }
}
