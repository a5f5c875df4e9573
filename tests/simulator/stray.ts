import type { strays } from "./act.ts";
import { bare, wireJson } from "./wire.ts";

type Stray = (typeof strays)[number];

const chat = { id: 5000000001, type: "private" };
const from = { id: 5000000001, is_bot: false };

/** A body that no person's act would make. `stored`: it is an update all the same and is recorded. */
export function strayBody(stray: Stray, updateId: string): { body: string; stored: boolean } {
  const update = (fields: Record<string, unknown>) => ({
    body: wireJson({ update_id: bare(updateId), ...fields }),
    stored: true,
  });
  const refused = (body: string) => ({ body, stored: false });
  switch (stray) {
    case "not json":
      return refused("not json");
    case "cut off":
      return refused(`{"update_id":${updateId},"message":{"text":"/approve`);
    case "an array":
      return refused(`[{"update_id":${updateId}}]`);
    case "no id":
      return refused('{"message":{"text":"hello"}}');
    case "a negative id":
      return refused('{"update_id":-1}');
    case "an id that is no number":
      return refused('{"update_id":"one","message":{}}');
    case "a fraction as id":
      return refused('{"update_id":1.5}');
    case "an unknown kind":
      return update({ thought_of_the_future: { from, text: "/approve all yes" } });
    case "a reaction":
      return update({ message_reaction: { chat, user: from, message_id: 1, new_reaction: [] } });
    case "a member change":
      return update({ my_chat_member: { chat, from, date: 1, new_chat_member: { user: from } } });
    case "a message that is a number":
      return update({ message: 7 });
    case "a chat without id":
      return update({ message: { chat: { type: "private" }, from, text: "/pending" } });
    case "two kinds at once":
      return update({
        edited_message: { chat, from: { id: 1 }, text: "x" },
        thought_of_the_future: {},
      });
    case "a proto key":
      return refused(`{"__proto__":{"update_id":${updateId}},"constructor":{"update_id":1}}`);
    case "deep nesting":
      return {
        body: `{"update_id":${updateId},"message":${'{"a":'.repeat(2000)}1${"}".repeat(2001)}`,
        stored: true,
      };
    case "a NUL and half a character":
      return {
        body:
          `{"update_id":${updateId},"channel_post":{"chat":{"id":-1,"type":"channel"},"text":"\\u0000\\ud800"}}`,
        stored: true,
      };
    case "an id as a fraction of a person":
      return {
        body:
          `{"update_id":${updateId},"message":{"message_id":1,"chat":{"id":5000000001.5,"type":"private"},` +
          '"from":{"id":5000000001.5},"text":"/pending"}}',
        stored: true,
      };
  }
}
