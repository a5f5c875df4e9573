import type { Act, Arrival, Errand, Script, Words } from "./act.ts";
import { disguise } from "./look-alike.ts";

function errandLine(errand: Errand, at: number): string {
  switch (errand.kind) {
    case "signal":
      return `errand ${at}: a signal, one operator decides`;
    case "asked":
      return `errand ${at}: a signal that ${errand.by} asked for`;
    case "trade":
      return `errand ${at}: a trade, an operator and an owner decide`;
  }
}

const answer = (decision: string) => decision === "approve" ? "yes" : "no";

function wordsLine(words: Words): string {
  switch (words.say) {
    case "approve":
      return `/approve <${words.spelling} of errand ${words.errand}> ${answer(words.decision)}` +
        (words.otp === "none" ? "" : ` otp:<${words.otp}>`) +
        (words.reason === "" ? "" : ` ${JSON.stringify(words.reason.slice(0, 24))}`);
    case "look-alike":
      return `/approve <errand ${words.errand}> ${answer(words.decision)}, disguised by ${
        disguise(words.look)[0]
      }`;
    case "quoting":
      return `"${answer(words.decision)}" as a reply to a command`;
    case "status":
      return `/status <errand ${words.errand}>`;
    case "stop":
      return `/stop ${words.scope}`;
    case "talk":
      return "small talk";
    case "other bot":
      return "/approve@another_bot";
    default:
      return `/${words.say}`;
  }
}

const arrivalLine = ({ times, crash, huge }: Arrival): string =>
  (times === "once" ? "" : `, ${times}`) + (huge ? ", id beyond 2^53" : "") +
  (crash ? `, the door dies ${crash.when} database call ${crash.call}` : "");

export function actLine(act: Act): string {
  switch (act.do) {
    case "say":
      return `${act.who} says ${wordsLine(act.words)} (${act.guise}${arrivalLine(act.arrival)})`;
    case "tap":
      return `${act.who} taps ${answer(act.decision)} on errand ${act.errand} (${act.guise}${
        arrivalLine(act.arrival)
      })`;
    case "reuse":
      return `${act.who} taps ${
        answer(act.decision)
      } on errand ${act.errand} under the update_id used ${act.back} updates before`;
    case "knock":
      return `somebody posts ${act.who}'s yes to errand ${act.errand} with the secret header "${act.header}"`;
    case "stray":
      return `Telegram posts ${act.body}`;
    case "remove":
      return `${act.who} is removed`;
    case "turn":
      return `${act.who} is made ${act.role}`;
    case "rejoin":
      return `${act.who} is added again`;
    case "restart":
      return `the processes start again with the ${act.bundle} policy`;
    case "deliver":
      return act.crash
        ? `the outbox is worked and dies ${act.crash.when} database call ${act.crash.call}`
        : "the outbox is worked";
    case "publish":
      return "what is approved is carried out";
    case "outage":
      return `the next ${act.times} calls of Telegram for ${act.whose} end with ${act.how}`;
    case "disconnect":
      return "Telegram is gone";
    case "reconnect":
      return "Telegram is back";
    case "wait":
      return `${act.seconds} seconds pass${act.sweep ? ", the clock's jobs run" : ""}`;
  }
}

/** A script as a person reads it, one line per act. */
export const readable = (script: Script): string[] => [
  ...script.errands.map(errandLine),
  ...script.acts.map((act, at) => `${String(at + 1).padStart(2)}. ${actLine(act)}`),
];
