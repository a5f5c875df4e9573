import type { Intent } from "./telegram.ts";
import { clean, clip, messageLimit } from "./telegram-text.ts";
import { mask } from "./mask.ts";

/** `T2-20250928-0012`, as on the card. */
export const requestCode = /^T[0-3]-\d{8}-\d{4,9}$/;
/** `T-2025-09-28-0012`, the task itself. */
export const taskId = /^T-\d{4}-\d{2}-\d{2}-\d{4,9}$/;
const pairingCode = /^[A-Za-z0-9_-]{4,64}$/;

// ASCII alone, one spelling: whatever merely looks like a command is no command.
const command = /^\/([a-z]+)(?:@([A-Za-z0-9_]{1,32}))?(?: +([^]*))?$/;
const decision = /^([!-~]+) +(yes|no)(?:[ \n]([^]*))?$/;

export const reasonLimit = 500;

const isSubject = (text: string) => requestCode.test(text) || taskId.test(text);

/** What the person gave as a reason: one person's words, without controls and secrets, bounded. */
function readReason(text: string | undefined): string | null {
  const reason = clip(mask(clean(text ?? "").trim()), reasonLimit);
  return reason === "" ? null : reason;
}

function readArguments(name: string, rest: string): Intent {
  switch (name) {
    case "approve": {
      const [, code, answer, reason] = decision.exec(rest) ?? [];
      if (!code || !isSubject(code)) return { type: "usage", about: "approve" };
      return {
        type: "approve",
        code,
        decision: answer === "yes" ? "approve" : "reject",
        reason: readReason(reason),
      };
    }
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
  if (addressee !== undefined && addressee.toLowerCase() !== botUsername?.toLowerCase()) {
    return { type: "ignored", why: "other_bot" };
  }
  return readArguments(name, rest ?? "");
}
