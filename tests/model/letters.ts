import { type Base, iso, keyId } from "./base.ts";
import type { Look } from "./comparing.ts";
import type { Update } from "./world.ts";

/** Messages as the door hands them on, with what was signed over them when they were written. */
export interface Letter {
  p_update: Record<string, unknown>;
  p_signed: unknown;
}

/** What the door knows while a message is written. */
export interface Desk {
  base: Base;
  taskId: string;
  look: Look;
  /** The policy of the bundle that hands it on. */
  sha: string;
  /** How many were written before it. */
  place: number;
}

export const nothing = "0".repeat(64);

function spoken({ taskId, look }: Desk, intent: Update["intent"]): Record<string, unknown> {
  switch (intent.type) {
    case "answer": {
      const code = intent.request === "task"
        ? taskId
        : intent.request === "unknown"
        ? "T2-20010101-0001"
        : look.requests[intent.request].code;
      return { type: "approve", decision: intent.decision, reason: null, code };
    }
    case "glass":
      return { type: "breakglass", id: taskId, reason: "the market" };
    case "confirm": {
      const code = intent.which === null ? "C-AAAAAAAA" : look.confirmations[intent.which].code;
      return { type: "confirm", decision: intent.decision, code };
    }
    case "t3":
      return { type: "t3", state: intent.on ? "on" : "off" };
    case "resolve": {
      const outcome = intent.done ? "done" : "not-done";
      const effect = look.effects.at(-1)?.id ?? "00000000";
      return { type: "resolve", effect, outcome, reason: "seen" };
    }
    default:
      return { type: intent.type, scope: intent.scope, reason: "drill" };
  }
}

export function letterOf(desk: Desk, update: Update): Letter {
  const { from, ownChat, simulated, proof, intent } = update;
  const { base, look, sha, place } = desk;
  const signed = intent.type === "answer" ? intent.signed : null;
  return {
    p_update: {
      update_id: String(1_000_000 + place),
      kind: "message",
      from_id: from,
      chat_id: ownChat ? from : "-1001",
      intent: spoken(desk, intent),
      channel: simulated ? "local-simulated" : "telegram",
      receipt: {},
      policy_sha256: sha,
      ...proof ? { second_factor: proof } : {},
    },
    p_signed: signed === null ? null : {
      code: look.requests[signed.request].code,
      decision: signed.decision,
      person: base.personIds[signed.person],
      role: signed.role,
      digest: signed.digest === "another" ? nothing : look.requests[signed.request].digest,
      key_id: signed.known ? keyId : nothing.slice(0, 16),
      signed_at: iso(signed.at),
      signature: `${"A".repeat(86)}==`,
    },
  };
}
