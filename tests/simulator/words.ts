import type { Spelling, Words } from "./act.ts";
import { disguise } from "./look-alike.ts";
import type { Model } from "./model.ts";

export const botName = "dynamic_ags_bot";

/** What a command names, at the moment it arrives. */
export function codeOf(model: Model, errand: number, spelling: Spelling): string {
  const request = model.newest(errand);
  const { code } = request;
  switch (spelling) {
    case "code":
      return code;
    case "task id":
      return request.task;
    case "first code":
      return model.requests.find((one) => one.errand === errand)!.code;
    case "one digit off":
      return code.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));
    case "a digit too many":
      return `${code}0`;
    case "a digit too few":
      return code.slice(0, -1);
    case "another tier":
      return code.replace(/^T(\d)/, (_, tier) => `T${(Number(tier) + 1) % 4}`);
  }
}

const answer = (decision: "approve" | "reject") => decision === "approve" ? "yes" : "no";

export function textOf(model: Model, words: Words, otp: string | null = null): string {
  switch (words.say) {
    case "approve": {
      const reason = words.reason === "" ? "" : ` ${words.reason}`;
      const code = codeOf(model, words.errand, words.spelling);
      const factor = otp === null ? "" : ` otp:${otp}`;
      return `/approve ${code} ${answer(words.decision)}${factor}${reason}`;
    }
    case "look-alike":
      return disguise(words.look)[1](model.newest(words.errand).code, answer(words.decision));
    // The command stands in the message that is replied to; these are the words themselves.
    case "quoting":
      return answer(words.decision);
    case "pending":
    case "help":
    case "start":
      return `/${words.say}`;
    case "status":
      return `/status ${model.newest(words.errand).code}`;
    case "talk":
      return "hello, is anybody there?";
    case "other bot":
      return `/approve@another_bot ${model.newest(0).code} yes`;
    case "stop":
      return words.scope === "all" ? "/stop because I say so" : "/stop t3 because I say so";
  }
}

export const addressed = (text: string): string =>
  text.replace(/^\/([a-z]+)(?= |$)/, `/$1@${botName}`);
