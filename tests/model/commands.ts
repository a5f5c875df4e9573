import type { Decision, Role, Scope } from "./world.ts";
import type { Seen } from "./effects.ts";
import type { Tampering } from "./tampering.ts";

/** What may happen, as plain values; whatever a command names is looked up in the world when it is played. */
export type Command =
  | {
    do: "answer";
    who: number;
    target: "newest" | "oldest" | "task" | "unknown";
    decision: Decision;
    sign: "right" | "none" | "late" | "another digest" | "unknown key";
    later: boolean;
  } & Manner
  | { do: "deliver"; which: number }
  | { do: "rework"; text: number; marks: number; rehearsed: boolean }
  | { do: "complete"; text: number; marks: number; rehearsed: boolean }
  | { do: "claim"; what: "line" | "effect" }
  | {
    do: "fail";
    what: "line" | "effect";
    code: "unavailable" | "stopped" | "insufficient_data" | "least_privilege";
  }
  | { do: "replan" }
  | {
    do: "reserve";
    lease: "newest" | "older";
    payload: "approved" | "other";
    inside: boolean;
    bundle: "active" | "other";
  }
  | { do: "start"; lease: "newest" | "older" }
  | { do: "confirm"; lease: "newest" | "older"; seen: Seen }
  | { do: "settle"; done: boolean }
  | { do: "wait"; seconds: number }
  | { do: "sweep" }
  | { do: "crash" }
  | { do: "tamper"; what: Tampering }
  | { do: "limit"; positions: number }
  | { do: "policy"; which: number }
  | { do: "remove"; who: number }
  | { do: "add"; who: number; role: Role }
  | { do: "demote"; who: number; role: Role }
  | { do: "enrol"; who: number }
  | { do: "stop"; scope: Scope }
  | { do: "lose stop"; scope: Scope }
  | { do: "t3 off" }
  | { do: "say"; who: number; what: Said } & Manner
  | { do: "trespass"; picks: number[] };

/** How a message reaches the house. */
export interface Manner {
  code: "right" | "next" | "wrong" | "none";
  ownChat: boolean;
  simulated: boolean;
  bundle: "active" | "other";
}
export type Said =
  | { type: "stop"; scope: Scope }
  | { type: "resume"; scope: Scope }
  | { type: "glass" }
  | { type: "confirm"; decision: Decision; older: boolean }
  | { type: "t3"; on: boolean }
  | { type: "resolve"; done: boolean };

export interface Story {
  kind: "signal" | "trade";
  requester: number | null;
  /** Where the task stands when the first command comes. */
  from: "gate" | "door";
  t3: boolean;
  commands: Command[];
}
