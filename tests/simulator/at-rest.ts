import type { KeptMessage } from "../support/bot-api-chats.ts";
import { type Figure, persons, publicChat } from "./cast.ts";
import type { Checker } from "./checker.ts";
import type { Waiting } from "./gate.ts";
import type { Request } from "./model.ts";

/** Something that a person did and must be able to see the end of. */
export interface Promised {
  chat: string;
  matches: (text: string) => boolean;
  tapped: Request | null;
  answers: string[];
  code: string | null;
}

/** When the outage is over and the outbox empty: everybody has seen what happened, nobody more than that. */
export async function atRest(checker: Checker, waiting: Waiting[], anon: Figure): Promise<void> {
  keptPromises(checker);
  codesAreGone(checker);
  cardsAreThere(checker, anon);
  chatsAreRight(checker, waiting, anon);
  buttonsFit(checker);
  await postsAreApproved(checker, waiting);
}

function keptPromises({ promised, system, differs }: Checker): void {
  const unread = [...system.api.chats.messages];
  for (const { chat, matches, tapped, answers, code } of promised) {
    if (tapped !== null) {
      const isShown = answers.some(matches) ||
        (code === null &&
          unread.some((message) =>
            message.chat_id === chat && message.edits > 0 && message.text.includes(tapped.code)
          ));
      if (!isShown) differs(`chat ${chat} never learned what became of a tap (${code ?? "done"})`);
      continue;
    }
    const at = unread.findIndex((message) => message.chat_id === chat && matches(message.text));
    if (at < 0) differs(`chat ${chat} got no answer to its words (${code ?? "done"})`);
    else unread.splice(at, 1);
  }
}

function codesAreGone({ codes, system, differs }: Checker): void {
  for (const { chat, ids, isGone } of codes) {
    const gone = ids.filter((id) =>
      system.api.chats.removed.some(({ chat_id, message_id }) =>
        chat_id === chat && message_id === id
      )
    ).length;
    if (isGone && gone < ids.length) {
      differs(`a message with a code stays in chat ${chat}`);
    }
    if (!isGone && gone > 0) {
      differs(`a message was taken away from chat ${chat}`);
    }
  }
}

/**
 * Cards with buttons. A card whose arrival nobody saw is sent again, and the first one stays as it is: it is let pass
 * where the same chat has the other, which says what became of it.
 */
export function tappable(
  { system, hadOutage, hadCrash }: Checker,
  which: (text: string) => boolean,
): KeptMessage[] {
  const { messages } = system.api.chats;
  const codeOf = (text: string) => /^Code: (.*)$/m.exec(text)?.[1];
  return messages.filter((card) =>
    card.buttons.length > 0 && which(card.text) && !((hadOutage || hadCrash) &&
      messages.some((other) =>
        other.chat_id === card.chat_id && other.buttons.length === 0 &&
        codeOf(other.text) === codeOf(card.text)
      ))
  );
}

/** Whoever may decide what is open has its card; nobody else was given one to tap. */
function cardsAreThere(checker: Checker, anon: Figure): void {
  const { model, system, differs } = checker;
  const chats = new Map([...persons, anon].map(({ id, name }) => [name, id]));
  for (const request of model.requests) {
    const cards = system.api.chats.messages.filter(({ buttons }) =>
      buttons.some(({ callback_data }) => callback_data.endsWith(request.nonce))
    );
    if (request.state !== "open") {
      for (const { chat_id } of tappable(checker, (text) => text.includes(request.code))) {
        differs(`${request.code} is ${request.state}, and chat ${chat_id} can tap it`);
      }
      continue;
    }
    for (const [name, id] of chats) {
      const has = cards.some(({ chat_id }) => chat_id === id);
      if (!has && model.mayDecide(name, request)) differs(`${name} has no card of ${request.code}`);
    }
  }
}

function chatsAreRight(
  { model, system, differs }: Checker,
  waiting: Waiting[],
  anon: Figure,
): void {
  const posts = waiting.map(({ post }) => post);
  for (const { chat_id, text } of system.api.chats.messages) {
    if (chat_id === publicChat) {
      if (!posts.includes(text)) differs(`the public read: ${text}`);
      continue;
    }
    const who = [...persons, anon].find(({ id }) => id === chat_id);
    if (!who) differs(`chat ${chat_id} got a message: ${text}`);
    else if (who.role === null && text !== who.id && !model.isMember(who.name)) {
      differs(`the stranger ${who.name} read: ${text}`);
    }
  }
}

function buttonsFit({ system, differs }: Checker): void {
  for (const { parameters } of system.api.calls) {
    const given = parameters.reply_markup;
    const markup = typeof given === "string" ? JSON.parse(given) : given;
    for (const { callback_data } of (markup?.inline_keyboard ?? []).flat()) {
      if (new TextEncoder().encode(callback_data).length > 64) {
        differs(`a button's data is longer than 64 bytes: ${callback_data}`);
      }
    }
  }
}

/** What went out was approved and went out once; what was approved went out, unless the outage hid whether it did. */
async function postsAreApproved(
  { model, system, differs, hadOutage }: Checker,
  waiting: Waiting[],
) {
  const effects = await system.db.owner<{ task_id: string; status: string }>(
    "select task_id, status from public.effects where task_id = any ($1)",
    [waiting.map(({ task }) => task)],
  );
  for (const { task, post } of waiting) {
    const times = system.api.chats.messages.filter(({ chat_id, text }) =>
      chat_id === publicChat && text === post
    ).length;
    const carriedOut = model.requests.some((one) =>
      one.task === task && one.state === "consumed"
    );
    const effect = effects.find(({ task_id }) => task_id === task)?.status ?? null;
    if (times > 1) differs(`${task} was posted ${times} times`);
    if (times > 0 && !carriedOut) differs(`${task} was posted and nobody had approved it`);
    if (!carriedOut) continue;
    if (effect === "confirmed" && times === 0) differs(`${task} counts as posted and is not`);
    if (effect !== "confirmed" && !hadOutage) {
      differs(
        `${task} is approved, its effect is ${effect}`,
      );
    }
  }
}
