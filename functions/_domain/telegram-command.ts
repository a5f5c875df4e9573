import type { Intent } from "./telegram.ts";
import { clean, clip, messageLimit } from "./telegram-text.ts";
import { mask } from "./mask.ts";
import { maskCodes, maskSixDigits } from "./second-factor.ts";

/** `T2-20250928-0012`, as on the card. */
export const requestCode = /^T[0-3]-\d{8}-\d{4,9}$/;
/** `T-2025-09-28-0012`, the task itself. */
export const taskId = /^T-\d{4}-\d{2}-\d{2}-\d{4,9}$/;
const pairingCode = /^[A-Za-z0-9_-]{4,64}$/;

// ASCII alone, one spelling: whatever merely looks like a command is no command.
const command = /^\/([a-z][a-z0-9]*)(?:@([A-Za-z0-9_]{1,32}))?(?: +([^]*))?$/;
const decision = /^([!-~]+) +(yes|no)(?: +otp:(\d{6})(?= |\n|$))?(?:[ \n]([^]*))?$/;
const scoped = /^(?:(t3)(?= |\n|$))?[ \n]*([^]*)$/;
const confirmation = /^(C-[A-Z2-7]{6,16}) +(yes|no)(?: +otp:(\d{6}))?$/;
const glass = /^([!-~]+)[ \n]+([^]+)$/;
const settlement = /^([0-9a-f][0-9a-f-]{7,35}) +(done|not-done)(?:[ \n]([^]*))?$/;
const account = /^[A-Za-z0-9][A-Za-z0-9:._-]{0,63}$/;
const switched = /^(on|off)(?: +otp:(\d{6}))?$/;

export const reasonLimit = 500;

const isSubject = (text: string) => requestCode.test(text) || taskId.test(text);

/** What the person gave as a reason: one person's words, without controls and secrets, bounded. */
function readReason(text: string | undefined, hide = maskCodes): string | null {
  const reason = clip(mask(hide(clean(text ?? "").trim())), reasonLimit);
  return reason === "" ? null : reason;
}

function readArguments(name: string, rest: string): Intent {
  switch (name) {
    case "approve": {
      const [, code, answer, otp, reason] = decision.exec(rest) ?? [];
      if (!code || !isSubject(code)) return { type: "usage", about: "approve" };
      return {
        type: "approve",
        code,
        decision: answer === "yes" ? "approve" : "reject",
        reason: readReason(reason, maskSixDigits),
        otp: otp ?? null,
      };
    }
    case "stop":
    case "resume": {
      const [, narrow, reason] = scoped.exec(rest) ?? [];
      return { type: name, scope: narrow ? "t3" : "all", reason: readReason(reason) };
    }
    case "confirm": {
      const [, code, answer, otp] = confirmation.exec(rest) ?? [];
      if (!code) return { type: "usage", about: "confirm" };
      return {
        type: "confirm",
        code,
        decision: answer === "yes" ? "approve" : "reject",
        otp: otp ?? null,
      };
    }
    case "breakglass": {
      const [, id, words] = glass.exec(rest) ?? [];
      const reason = readReason(words);
      if (!id || !isSubject(id) || reason === null) return { type: "usage", about: "breakglass" };
      return { type: "breakglass", id, reason };
    }
    case "resolve": {
      const [, effect, outcome, reason] = settlement.exec(rest) ?? [];
      if (!effect) return { type: "usage", about: "resolve" };
      return {
        type: "resolve",
        effect,
        outcome: outcome === "done" ? "done" : "not-done",
        reason: readReason(reason),
      };
    }
    case "t3": {
      const [, state, otp] = switched.exec(rest) ?? [];
      if (!state) return { type: "usage", about: "t3" };
      return { type: "t3", state: state === "on" ? "on" : "off", otp: otp ?? null };
    }
    case "positions":
    case "pnl":
      if (rest !== "" && !account.test(rest)) return { type: "usage", about: name };
      return { type: name, account: rest === "" ? null : rest };
    case "pending":
      return rest === "" ? { type: "pending" } : { type: "usage", about: "pending" };
    case "status":
      return isSubject(rest) ? { type: "status", id: rest } : { type: "usage", about: "status" };
    case "help":
      return rest === "" ? { type: "help" } : { type: "usage", about: "help" };
    case "start":
      return { type: "start", pairing_code: pairingCode.test(rest) ? rest : null };
    default:
      return { type: "usage", about: "command" };
  }
}

/** Reads one command by its exact grammar. A command for another bot is not ours to answer. */
export function readCommand(text: string, botUsername: string | null): Intent {
  if (text.length > messageLimit) return { type: "usage", about: "command" };
  const [, name, addressee, rest] = command.exec(text.replace(/[ \n]+$/, "")) ?? [];
  if (!name) return { type: "usage", about: "command" };
  // Which bot this is was not to be learnt just now: asked to write it without the name, nobody loses a decision.
  if (addressee !== undefined && botUsername === null) return { type: "usage", about: "command" };
  if (addressee !== undefined && addressee.toLowerCase() !== botUsername?.toLowerCase()) {
    return { type: "ignored", why: "other_bot" };
  }
  return readArguments(name, rest ?? "");
}
