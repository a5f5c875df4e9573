import type { Role } from "./cast.ts";

export type Decision = "approve" | "reject";

/** How a text reaches the bot. Only the first three are a person's own words in their own chat. */
export const sayGuises = [
  "plain",
  "reply to the card",
  "addressed to our bot",
  "forwarded",
  "forwarded in the old fields",
  "edited",
  "with an edit date",
  "via an inline bot",
  "with a quote",
  "with an external reply",
  "inside a blockquote",
  "in a group",
  "in somebody else's chat",
  "as a channel post",
  "in the name of a channel",
  "by an anonymous admin",
  "by the service account",
  "by an account of Telegram's own, privately",
  "over a business connection",
  "marked as a bot",
  "without a sender",
] as const;
export type SayGuise = (typeof sayGuises)[number];
export const ownWords: ReadonlySet<SayGuise> = new Set([
  "plain",
  "reply to the card",
  "addressed to our bot",
]);

export const tapGuises = [
  "plain",
  "on a card too old to read",
  "on a forwarded card",
  "in a group",
  "in somebody else's chat",
  "on an inline message",
  "marked as a bot",
  "by an account of Telegram's own, privately",
  "with an invented nonce",
  "with foreign data",
  "without data",
] as const;
export type TapGuise = (typeof tapGuises)[number];

/** Which code a command names. */
export const spellings = [
  "code",
  "task id",
  "first code",
  "one digit off",
  "a digit too many",
  "a digit too few",
  "another tier",
] as const;
export type Spelling = (typeof spellings)[number];

export type Words =
  | {
    say: "approve";
    errand: number;
    spelling: Spelling;
    decision: Decision;
    reason: string;
    /** What is given as the second factor, where one is. */
    otp: Otp;
  }
  /** Looks like a command and is none; `look` chooses among the disguises. */
  | { say: "look-alike"; errand: number; decision: Decision; look: number }
  | { say: "quoting"; errand: number; decision: Decision }
  | { say: "pending" | "help" | "start" | "talk" | "other bot" }
  | { say: "status"; errand: number }
  | { say: "stop"; scope: "all" | "t3" };

export const otps = [
  "right",
  "wrong",
  "used before",
  "somebody else's",
  "too old",
  "none",
] as const;
export type Otp = (typeof otps)[number];

/** How often an update comes, and how: one after the other, both at once, or as two updates. */
export type Times = "once" | "copied at once" | "copied later" | "twice at once";
/** The process dies at the n-th database call of this update, before or after it took effect. */
export type Crash = { call: number; when: "before" | "after" } | null;

export interface Arrival {
  /** Place of its update_id within the play; ids come out of order. */
  slot: number;
  /** An id beyond 2^53, which differs from its neighbour only in digits that a double loses. */
  huge: boolean;
  times: Times;
  crash: Crash;
}

export const knocks = ["none", "empty", "wrong", "shortened", "capitals", "doubled"] as const;
export const outages = [
  "too_many_requests",
  "server_error",
  "bad_gateway",
  "reset_before",
  "reset_after",
] as const;
export const strays = [
  "not json",
  "cut off",
  "an array",
  "no id",
  "a negative id",
  "an id that is no number",
  "a fraction as id",
  "an unknown kind",
  "a reaction",
  "a member change",
  "a message that is a number",
  "a chat without id",
  "two kinds at once",
  "a proto key",
  "deep nesting",
  "a NUL and half a character",
  "an id as a fraction of a person",
] as const;

export type Act =
  | { do: "say"; who: string; words: Words; guise: SayGuise; arrival: Arrival }
  | {
    do: "tap";
    who: string;
    errand: number;
    decision: Decision;
    guise: TapGuise;
    arrival: Arrival;
  }
  /** An update_id that was used before, with a decision of another's in it. */
  | { do: "reuse"; who: string; errand: number; decision: Decision; back: number }
  | { do: "knock"; header: (typeof knocks)[number]; who: string; errand: number; slot: number }
  | { do: "stray"; body: (typeof strays)[number]; slot: number }
  | { do: "remove"; who: string }
  | { do: "turn"; who: string; role: Role }
  | { do: "rejoin"; who: string }
  | { do: "restart"; bundle: "right" | "old" }
  | { do: "deliver"; crash: Crash }
  | { do: "publish" }
  /** The next calls of Telegram about one person's chat go wrong. */
  | { do: "outage"; how: (typeof outages)[number]; whose: string; times: number }
  | { do: "disconnect" }
  | { do: "reconnect" }
  | { do: "wait"; seconds: number; sweep: boolean };

/** Something that waits for a decision when the play begins. */
export type Errand =
  | { kind: "signal" }
  /** Asked for by a member, who therefore may not decide it. */
  | { kind: "asked"; by: string }
  | { kind: "trade" };

export interface Script {
  seed: number;
  /** Which of Telegram's own accounts is a member in this play. */
  anon: string;
  errands: Errand[];
  acts: Act[];
}
