import type { TelegramChannel } from "../../functions/_channels/telegram.ts";
import type { Act, Errand, Otp, SayGuise, Words } from "./act.ts";
import type { System } from "./system.ts";

/** What a scratch system has between its parts, so that a fault of them can be played. */
export interface Wire {
  body?: (body: string) => string;
  headers?: (headers: Record<string, string>, secret: string) => Record<string, string>;
  channel?: (channel: TelegramChannel) => TelegramChannel;
}

/** A guard taken out of a scratch system. The simulator is worth as much as it finds of these. */
export interface PlantedFault {
  name: string;
  /** The shortest play that shows it. Random plays find it, too; that takes longer. */
  play: { errands: Errand[]; acts: Act[] };
  wire?: Wire;
  /** A function of the database, and its text without the guard. */
  sql?: { of: string; without: (text: string) => string };
}

let slots = 0;
const arrival = () => ({ slot: slots++, huge: false, times: "once" as const, crash: null });
const tap = (who: string): Act => ({
  do: "tap",
  who,
  errand: 0,
  decision: "approve",
  guise: "plain",
  arrival: arrival(),
});
const say = (who: string, words: Words, guise: SayGuise = "plain"): Act => ({
  do: "say",
  who,
  words,
  guise,
  arrival: arrival(),
});
const approve = (errand: number, otp: Otp): Words => ({
  say: "approve",
  errand,
  spelling: "code",
  decision: "approve",
  reason: "",
  otp,
});
const signal: Errand = { kind: "signal" };
const trade: Errand = { kind: "trade" };

const provenance = [
  "forward_origin",
  "forward_from",
  "forward_date",
  "sender_chat",
  "edit_date",
  "via_bot",
  "quote",
  "external_reply",
  "is_automatic_forward",
];
/** Renames fields wherever they are in the text of an update, which keeps its long ids. */
const dropFields = (body: string): string =>
  provenance.reduce((text, field) => text.replaceAll(`"${field}":`, `"was_${field}":`), body);

function rounded(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body));
  } catch (error) {
    if (error instanceof SyntaxError) return body;
    throw error;
  }
}

const withoutLine = (code: string) => (text: string): string =>
  text.replace(new RegExp(`when [^\\n]*then '${code}'\\n`), "");
const without = (guard: string, instead = "") => (text: string): string =>
  text.replace(guard, instead);

export const plantedFaults: PlantedFault[] = [
  {
    name: "nobody looks whether words are the sender's own",
    play: { errands: [signal], acts: [say("pavel", approve(0, "none"), "forwarded")] },
    wire: { body: dropFields },
  },
  {
    name: "a member may approve what they asked for",
    play: { errands: [{ kind: "asked", by: "pavel" }], acts: [tap("pavel")] },
    sql: { of: "private.decide", without: withoutLine("self_approval") },
  },
  {
    name: "who was removed still counts",
    play: { errands: [signal], acts: [{ do: "remove", who: "pavel" }, tap("pavel")] },
    sql: {
      of: "private.take_update",
      without: without("= v_from and m.status = 'active'", "= v_from"),
    },
  },
  {
    name: "any member may decide anything",
    play: { errands: [signal], acts: [tap("rita")] },
    sql: { of: "private.decide", without: withoutLine("wrong_role") },
  },
  {
    name: "one person may decide twice",
    play: {
      errands: [trade],
      acts: [say("tom", approve(0, "right")), say("tom-owner", approve(0, "right"))],
    },
    sql: { of: "private.decide", without: withoutLine("dual_control_violation") },
  },
  {
    name: "a code counts as often as it is typed",
    play: {
      errands: [trade, trade],
      acts: [say("olga", approve(0, "right")), say("olga", approve(1, "used before"))],
    },
    sql: {
      of: "private.second_factor_problem",
      without: without("and v_step > coalesce(v_factor.last_step, 0)"),
    },
  },
  {
    name: "a yes to a trade needs no code",
    play: { errands: [trade], acts: [tap("oskar")] },
    sql: {
      of: "private.second_factor_problem",
      without: without("if not private.second_factor_demanded(p_tier)", "if p_tier = 'T3'"),
    },
  },
  {
    name: "a message with a code stays in the chat",
    play: { errands: [trade], acts: [say("olga", approve(0, "right"))] },
    sql: { of: "private.forget_code", without: without("begin\n", "begin\n  return;\n") },
  },
  {
    name: "anybody may stop the house",
    play: {
      errands: [signal],
      acts: [say("eve", { say: "stop", scope: "all" }), tap("pavel"), { do: "publish" }],
    },
    sql: {
      of: "private.act_on_intent",
      without: without(
        "if p_member.member_id is null then",
        "if v_type = 'stop' then perform private.set_stop('all', null, 'x'); end if;\n" +
          "  if p_member.member_id is null then",
      ),
    },
  },
  {
    name: "an update counts as often as it comes",
    play: {
      errands: [signal],
      acts: [tap("pavel"), { do: "reuse", who: "olga", errand: 0, decision: "reject", back: 1 }],
    },
    sql: {
      of: "private.take_update",
      without: (text) =>
        text.replaceAll("u.update_id = p_update ->> 'update_id'", "false")
          .replace("u.update_id = p_update ->> 'update_id'", "false"),
    },
  },
  {
    name: "ids are read as doubles",
    play: { errands: [signal], acts: [tap("olga")] },
    wire: { body: rounded },
  },
  {
    name: "the door believes whoever knocks",
    play: {
      errands: [signal],
      acts: [{ do: "knock", header: "wrong", who: "pavel", errand: 0, slot: 1 }],
    },
    wire: {
      headers: (headers, secret) => ({ ...headers, "x-telegram-bot-api-secret-token": secret }),
    },
  },
  {
    name: "look-alike letters are folded into the plain ones",
    play: {
      errands: [signal],
      acts: [say("pavel", { say: "look-alike", errand: 0, decision: "approve", look: 5 })],
    },
    wire: { body: (body) => body.normalize("NFKC") },
  },
  {
    name: "every third message is said to be sent and is not",
    play: { errands: [signal], acts: [{ do: "deliver", crash: null }] },
    wire: { channel: forgetful },
  },
  {
    name: "a button's data is longer than Telegram takes",
    play: { errands: [signal], acts: [{ do: "deliver", crash: null }] },
    wire: { channel: verbose },
  },
  {
    name: "a refused tap is not explained",
    play: { errands: [signal], acts: [tap("rita")] },
    sql: {
      of: "private.take_update",
      without: without(
        "return v_answer || jsonb_build_object('outcome', 'recorded'",
        "return v_answer - 'refused' - 'reply' || jsonb_build_object('outcome', 'recorded'",
      ),
    },
  },
];

function forgetful(channel: TelegramChannel): TelegramChannel {
  let sent = 0;
  return {
    ...channel,
    send: (message) =>
      ++sent % 3 === 0
        ? Promise.resolve({ outcome: "sent" as const, message_id: "1" })
        : channel.send(message),
  };
}

function verbose(channel: TelegramChannel): TelegramChannel {
  const long = (data: string) => data.padEnd(70, "+");
  return {
    ...channel,
    send: ({ buttons, ...message }) =>
      channel.send({
        ...message,
        ...(buttons
          ? {
            buttons: buttons.map(({ text, callback_data }) => ({
              text,
              callback_data: long(callback_data),
            })),
          }
          : {}),
      }),
  };
}

/** Takes the guard out; what comes back puts it in again. */
export async function plant(
  system: System,
  { name, wire, sql }: PlantedFault,
): Promise<() => Promise<void>> {
  const functions = sql
    ? await system.db.owner<{ text: string }>(
      "select pg_get_functiondef(p.oid) as text from pg_proc p " +
        "join pg_namespace n on n.oid = p.pronamespace where n.nspname || '.' || p.proname = $1",
      [sql.of],
    )
    : [];
  const changed = functions.map(({ text }) => ({ text, broken: sql!.without(text) }));
  if (sql && !changed.some(({ text, broken }) => text !== broken)) {
    throw new Error(`there is no such guard in ${sql.of}: ${name}`);
  }
  for (const { broken } of changed) await system.db.owner(broken);
  await system.rewire(wire ?? {});
  return async () => {
    for (const { text } of changed) await system.db.owner(text);
    await system.rewire({});
  };
}
