import { isRefusalCode, refusals } from "../../functions/_domain/refusal.ts";
import { ownWords, type SayGuise, type TapGuise, type Words } from "./act.ts";
import { byName } from "./cast.ts";
import type { Factor, Model, Request } from "./model.ts";
import { codeOf } from "./words.ts";

/** What must become of one update. */
export interface Judgement {
  outcome: "done" | "refused" | "ignored";
  /** The codes that may be on record; empty where none may. */
  codes: ReadonlySet<string>;
  /** What the sender must be able to read, given the code on record; null where silence is right. */
  reply: ((code: string | null) => (text: string) => boolean) | null;
}

const ignored: Judgement = { outcome: "ignored", codes: new Set(), reply: null };
const notPersonal = (isTold: boolean): Judgement => ({
  outcome: "refused",
  codes: new Set(["sender_not_personal"]),
  reply: isTold ? () => (text) => text.includes(refusals.sender_not_personal.meaning) : null,
});
const done = (matches: (text: string) => boolean): Judgement => ({
  outcome: "done",
  codes: new Set(),
  reply: () => matches,
});

/** The person sits in their own chat with the bot, only the words are not theirs or not of now. */
export const inOwnChat: ReadonlySet<SayGuise> = new Set([
  "forwarded",
  "forwarded in the old fields",
  "edited",
  "with an edit date",
  "via an inline bot",
  "with a quote",
  "with an external reply",
  "inside a blockquote",
]);

const asks: ReadonlySet<Words["say"]> = new Set([
  "approve",
  "pending",
  "start",
  "status",
  "stop",
]);

/** What is said of a decision: the outcome, or the code and why not. */
function decided(
  model: Model,
  who: string,
  code: string,
  request: Request | null,
  words: { decision: "approve" | "reject" },
  factor: Factor | null = null,
): Judgement {
  const { reasons } = model.decide(who, request, words.decision, factor);
  if (reasons.has("not_a_member")) return { outcome: "refused", codes: reasons, reply: null };
  const verdict = words.decision === "approve" ? "Approved" : "Rejected";
  const shown = request?.code ?? code;
  if (reasons.size === 0) return done((text) => text.startsWith(`${verdict}: ${shown}.`));
  return {
    outcome: "refused",
    codes: reasons,
    reply: (found) => (text) =>
      isRefusalCode(found) && (text.startsWith(`To say yes, write: /approve ${shown} yes otp:`) ||
        text.startsWith("You have no authenticator here yet") ||
        text.includes(refusals[found].meaning)),
  };
}

export function judgeWords(
  model: Model,
  who: string,
  words: Words,
  guise: SayGuise,
  heardName: string | null | undefined,
  factor: Factor | null,
): Judgement {
  if (words.say === "other bot" && heardName !== null) return ignored;
  const isCommand = asks.has(words.say) &&
    !(words.say === "approve" && words.spelling === "a digit too few");
  if (!ownWords.has(guise)) {
    return isCommand ? notPersonal(inOwnChat.has(guise) && model.isMember(who)) : ignored;
  }
  if (!model.isMember(who)) {
    return words.say === "start" && heardName !== null
      ? done((text) => text === byName(who).id)
      : { outcome: "refused", codes: new Set(["not_a_member"]), reply: null };
  }
  // The bot does not know its own name while Telegram is away: it asks for the command without it.
  if (heardName === null) return done((text) => text.includes("/approve <code> yes|no"));
  switch (words.say) {
    case "approve": {
      if (words.spelling === "a digit too few") return done((text) => text.startsWith("Write: "));
      const code = codeOf(model, words.errand, words.spelling);
      const request = model.find(code);
      const judged = decided(model, who, code, request, words, factor);
      // A code one digit off may be one of another day, whose requests are all closed.
      return request === null && judged.codes.has("unknown_request")
        ? { ...judged, codes: new Set([...judged.codes, "request_expired", "request_closed"]) }
        : judged;
    }
    case "look-alike":
    case "other bot":
    case "quoting":
    case "talk":
      return done((text) => text.includes("/approve <code> yes|no"));
    case "pending":
      return done((text) => /^(Nothing waits|Waiting) for a decision/.test(text));
    case "help":
      return done((text) => text.startsWith("/pending: "));
    case "start":
      return done((text) => text.startsWith("You are "));
    case "status":
      return done((text) => text.includes("\nSince "));
    case "stop":
      if (!model.mayStop(who)) {
        return {
          outcome: "refused",
          codes: new Set(["wrong_role"]),
          reply: () => (text) => text.includes(refusals.wrong_role.meaning),
        };
      }
      if (words.scope === "all") model.stopped = true;
      return done((text) => /^(Stopped|Already stopped)/.test(text));
  }
}

export function judgeTap(
  model: Model,
  who: string,
  request: Request,
  decision: "approve" | "reject",
  guise: TapGuise,
): Judgement {
  switch (guise) {
    case "plain":
    case "on a card too old to read":
      return decided(model, who, request.code, request, { decision });
    case "with an invented nonce":
      return decided(model, who, "", null, { decision });
    case "with foreign data":
    case "without data":
      return ignored;
    default:
      return notPersonal(true);
  }
}
