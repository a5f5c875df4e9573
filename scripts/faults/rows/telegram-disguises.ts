import { readUpdate } from "../../../functions/_domain/telegram.ts";
import * as line from "../../../tests/support/line.ts";
import { disguises } from "../../../tests/simulator/look-alike.ts";
import { Findings, type Row } from "../row.ts";
import { pick } from "../seed.ts";
import { decided, message, nextUpdate, webhookOf } from "./webhook.ts";

const strangersAllowed = new Set(["1001", "1004", "1005", "1014"]);
const people = [1001, 1004, 1014, 1005, 1002, 1024, 1003, 9999];
const chats = (own: number) => [
  { id: own, type: "private" },
  { id: own + 1, type: "private" },
  { id: -5000, type: "group" },
  { id: -1005000, type: "supergroup" },
  { id: -1006000, type: "channel" },
  { id: own },
];

const authority: Row = {
  id: 16,
  fault: "everybody approves, in every kind of chat",
  promise: "an operator in their own private chat, nobody else",
  needs: ["postgres"],
  async run(scene) {
    const db = await scene.database();
    const tell = webhookOf(db);
    const found = new Findings();
    const codes = new Map<string, number>();
    let cells = 0;
    let allowed = 0;
    let task = await line.signalAtGate(db);
    for (const person of people) {
      for (const chat of chats(person)) {
        const code = await line.openCode(db, task);
        const may = strangersAllowed.has(String(person)) && chat.type === "private" &&
          chat.id === person;
        const heard = await tell({
          update_id: nextUpdate(),
          message: message(person, `/approve ${code} yes`, { chat }),
        });
        const n = await decided(db, task);
        found.must(
          n === Number(may),
          `${person} in ${chat.type ?? "no kind of chat"} ${chat.id}: ${n} decisions`,
        );
        if (n > 0) task = await line.signalAtGate(db);
        codes.set(String(heard.code), (codes.get(String(heard.code)) ?? 0) + 1);
        allowed += n;
        cells++;
      }
    }
    found.counted(
      cells - allowed,
      `approvals that may not count: ${[...codes].map(([code, n]) => `${n} ${code}`).join(", ")}`,
    );
    found.saw(`${allowed} of ${cells} counted, those of four operators' own chats`);
    return found.outcome(`${people.length} people × ${chats(1).length} chats`);
  },
};

/** None of these moves a request, whoever it says it is from. */
async function refusesAll(
  scene: Parameters<Row["run"]>[0],
  found: Findings,
  all: (code: string) => Record<string, unknown>[],
) {
  const db = await scene.database();
  const tell = webhookOf(db);
  const taskId = await line.signalAtGate(db);
  const code = await line.openCode(db, taskId);
  const codes: string[] = [];
  for (const update of all(code)) {
    const heard = await tell({ update_id: nextUpdate(), ...update });
    found.must(heard.status === 200, `answered with ${heard.status}`);
    found.must(
      await decided(db, taskId) === 0,
      `decided by ${JSON.stringify(update).slice(0, 160)}`,
    );
    codes.push(String(heard.code));
  }
  await tell({ update_id: nextUpdate(), message: message(1001, `/approve ${code} yes`) });
  found.must(
    await decided(db, taskId) === 1,
    "the plain command of the same person was refused too",
  );
  found.counted(codes.length, `such updates: ${[...new Set(codes)].join(" ")}`);
  found.saw("0 decisions by them; the plain command counted");
  return db;
}

const placeholders = [777000, 1087968824, 136817688];

const fakeFrom: Row = {
  id: 17,
  fault: "sender_chat is set and `from` is one of Telegram's placeholders",
  promise: "refused, even where that id is a member",
  needs: ["postgres"],
  async run(scene) {
    const found = new Findings();
    const db = await scene.database();
    for (const id of placeholders) await line.addMember(db, "operator", `p${id}`, String(id));
    found.counted(
      await db.count(
        "public.members where telegram_user_id in ('777000', '1087968824', '136817688')",
      ),
      "placeholders made members",
    );
    const tell = webhookOf(db);
    const taskId = await line.signalAtGate(db);
    const code = await line.openCode(db, taskId);
    let sent = 0;
    for (const id of [...placeholders, 1001]) {
      for (const chat of [{ id, type: "private" }, { id: -1005000, type: "supergroup" }]) {
        for (
          const more of [{ chat }, {
            chat,
            sender_chat: { id: -1005000, type: "channel", title: "x" },
          }, { chat, sender_chat: chat }]
        ) {
          if (id === 1001 && chat.type === "private" && !("sender_chat" in more)) continue;
          const heard = await tell({
            update_id: nextUpdate(),
            message: message(id, `/approve ${code} yes`, more),
          });
          found.must(
            await decided(db, taskId) === 0,
            `${id} decided with ${JSON.stringify(more)}: ${heard.code}`,
          );
          sent++;
        }
      }
    }
    found.counted(sent, "updates in another's name");
    found.saw("0 decisions");
    return found.outcome(
      `${placeholders.length} placeholders as members, with and without sender_chat`,
    );
  },
};

const origin = { type: "user", sender_user: { id: 1001, is_bot: false, first_name: "x" }, date: 1 };
const provenance: Row = {
  id: 18,
  fault: "the command is forwarded, edited, quoted, by a bot, by a business connection",
  promise: "refused: not the sender's own words just now",
  needs: ["postgres"],
  async run(scene) {
    const found = new Findings();
    await refusesAll(scene, found, (code) => {
      const text = `/approve ${code} yes`;
      const said = (more: Record<string, unknown>) => ({ message: message(1001, text, more) });
      return [
        said({ forward_origin: origin }),
        said({ forward_origin: { type: "hidden_user", sender_user_name: "x", date: 1 } }),
        said({ forward_origin: { type: "chat", sender_chat: { id: -1, type: "group" }, date: 1 } }),
        said({ forward_from: { id: 1001, is_bot: false, first_name: "x" }, forward_date: 1 }),
        said({ forward_from_chat: { id: -1, type: "channel" } }),
        said({ forward_sender_name: "x", forward_date: 1 }),
        said({ is_automatic_forward: true }),
        said({ via_bot: { id: 5, is_bot: true, first_name: "b" } }),
        said({ edit_date: 5 }),
        said({ quote: { text, position: 0 } }),
        said({ external_reply: { origin } }),
        said({ reply_to_story: { id: 1, chat: { id: 1, type: "private" } } }),
        said({ business_connection_id: "b" }),
        said({ sender_business_bot: { id: 5, is_bot: true, first_name: "b" } }),
        said({ entities: [{ type: "blockquote", offset: 0, length: text.length }] }),
        said({ entities: [{ type: "expandable_blockquote", offset: 0, length: text.length }] }),
        said({ from: { id: 1001, is_bot: true, first_name: "x" } }),
        said({ from: undefined }),
        { message: { ...message(1001, text), text: undefined, caption: text } },
        { edited_message: message(1001, text, { edit_date: 5 }) },
        { channel_post: message(1001, text) },
        { edited_channel_post: message(1001, text) },
        { business_message: message(1001, text) },
        { edited_business_message: message(1001, text) },
      ];
    });
    return found.outcome("24 updates that are not one's own words");
  },
};

const lookAlike: Record<string, string> = {
  a: "аɑａ",
  e: "еｅ",
  o: "оοｏ",
  p: "рｐ",
  r: "ｒг",
  v: "ｖѵ",
  y: "уｙ",
  s: "ѕｓ",
  n: "ոｎ",
  t: "ｔт",
  T: "ТＴΤ",
  "0": "０٠Oo",
  "1": "１١lI",
  "2": "２۲Z",
  "-": "‐–−－",
  "/": "／⁄∕",
  " ": "\u00a0\u2003\u3000\u2028\u200b\t",
};
const unseen = [
  ..."\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u202d\u2066\u034f\u180e\0\u0001\u007f",
];
const exact =
  /^\/approve(?:@[A-Za-z0-9_]{1,32})? +T[0-3]-\d{8}-\d{4,9} +(?:yes|no)(?: +otp:\d{6})?(?:[ \n][^]*)?[ \n]*$/;

const homoglyphs: Row = {
  id: 19,
  fault: "letters, digits and spaces that look alike; marks that nobody sees",
  promise: "the exact ASCII grammar or nothing",
  needs: ["postgres"],
  async run(scene) {
    const found = new Findings();
    const n = scene.times(20_000);
    let read = 0;
    let changed = 0;
    for (let i = 0; i < n; i++) {
      const letters = [
        ...`/approve T${pick(scene.random, [0, 1, 2, 3])}-20260301-0012 ${
          pick(scene.random, ["yes", "no"])
        }`,
      ];
      for (let edits = Math.floor(scene.random() * 3); edits >= 0; edits--) {
        const at = Math.floor(scene.random() * letters.length);
        const way = scene.random();
        if (way < 0.6) letters[at] = pick(scene.random, [...lookAlike[letters[at]] ?? letters[at]]);
        else if (way < 0.9) letters.splice(at, 0, pick(scene.random, unseen));
        else letters[at] = letters[at].toUpperCase();
      }
      const text = letters.join("");
      const update = readUpdate(
        JSON.stringify({ update_id: i + 1, message: message(1001, text) }),
        "ags_bot",
      );
      const approves = update?.intent.type === "approve";
      const isExact = exact.test(text);
      // What may follow the answer is a reason in anybody's letters: there the grammar ends.
      found.must(
        approves === isExact,
        `${JSON.stringify(text)} was ${approves ? "read" : "not read"}`,
      );
      read += Number(approves);
      changed += Number(!isExact);
    }
    await refusesAll(
      scene,
      found,
      (code) =>
        disguises.map(([, spell]) => spell(code, "yes")).filter((text) => !exact.test(text))
          .map((text) => ({ message: message(1001, text) })),
    );
    found.counted(changed, "disguised commands read by the grammar");
    found.saw(`the ${read} that are exact were read, no other`);
    return found.outcome(
      `${n} random disguises, ${disguises.length} known ones through the webhook`,
    );
  },
};

export const telegramDisguises = [authority, fakeFrom, provenance, homoglyphs];
