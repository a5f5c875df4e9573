import type { Database } from "../_database/database.ts";
import { type Proof, type SealedSeed, withoutCode } from "../_domain/second-factor.ts";
import {
  decisionText,
  type PreparedDecision,
  preparedDecision,
  type SignedDecision,
} from "../_domain/signed-decision.ts";
import type { Decision, Intent, ReadUpdate } from "../_domain/telegram.ts";
import { createSeedBox, type SeedBox } from "../_edge/seed-box.ts";
import { createSigner, type Signer } from "../_edge/signing.ts";
import { stepOf } from "../_edge/totp.ts";

export interface DecisionDeps {
  database: Database;
  /** `local-simulated` where no bot is set up: such a decision unlocks no outside channel. */
  channel: "telegram" | "local-simulated";
  /** The bundled policy, or null where it is unreadable: the update is stored all the same. */
  policy_sha256: string | null;
  /** Null where APPROVAL_SIGNING_KEY is not set: then no decision is taken, and all else goes on. */
  signer: Signer | null;
  /** Null where SECOND_FACTOR_KEY is not set: then no code counts. */
  seeds: SeedBox | null;
  /** VIP_CHAT_ID, the one door that is ours; null where none is, and then no request to join is answered. */
  vip_chat_id: string | null;
  now: () => Date;
}

export interface Handled {
  outcome: string;
  refused?: string;
  reply?: string;
  [field: string]: unknown;
}

/** What decides with these variables; one that is not set is missed when a decision comes, not at the boot. */
export const decisionKeys = (
  keys: { signing: string | null; secondFactor: string | null },
): Pick<DecisionDeps, "signer" | "seeds"> => ({
  signer: keys.signing === null ? null : createSigner(keys.signing),
  seeds: keys.secondFactor === null ? null : createSeedBox(keys.secondFactor),
});

const isDecision = (
  intent: Omit<Intent, "otp">,
): intent is Omit<Intent, "otp"> & { decision: Decision } =>
  intent.type === "approve" || intent.type === "button";

/** Commands that no card stands behind, but that ask for a code. */
const needsCode = (intent: Omit<Intent, "otp">): boolean =>
  intent.type === "confirm" || intent.type === "t3";

/** What the database is told of a code: whether it was right, and of which half minute. Never the code. */
async function prove(deps: DecisionDeps, otp: string, sealed: SealedSeed | null): Promise<Proof> {
  const seed = await openSeed(deps, sealed);
  if (seed === null) return { valid: null, step: null };
  const step = await stepOf(seed, otp, deps.now());
  return { valid: step !== null, step };
}

const openSeed = async (deps: DecisionDeps, sealed: SealedSeed | null) =>
  sealed === null ? null : await deps.seeds?.open(sealed.member_id, sealed.ciphertext) ?? null;

/** Signs what the database said it would write. It refuses the signature if it has another mind by then. */
async function sign(
  deps: DecisionDeps,
  decision: Decision,
  { subject, signing_keys }: PreparedDecision,
): Promise<SignedDecision | null> {
  if (subject === null || deps.signer === null) return null;
  const { key_id, public_key } = await deps.signer.publicKey();
  // On record before anything is signed with it, or nobody could verify it later.
  if (!signing_keys.includes(key_id)) {
    await deps.database.call("report_signing_key", { p_public_key: public_key });
  }
  const { code, person_id: person, role, digest } = subject;
  const signed_at = deps.now().toISOString();
  const fields = { code, decision, person, role, digest, signed_at };
  return { ...fields, signature: await deps.signer.sign(decisionText(fields)), key_id };
}

/**
 * Hands one update to the database. A decision is prepared, its code compared, and signed first; what it then comes to
 * is decided by the database alone, which looks at every field again. `holds_code`: the message is to be taken away.
 */
export async function takeUpdate(
  deps: DecisionDeps,
  read: Omit<ReadUpdate, "callback_id">,
  holds_code = false,
): Promise<Handled> {
  const { intent, otp } = withoutCode(read.intent);
  const { channel, policy_sha256, vip_chat_id } = deps;
  const plain = {
    ...read,
    intent,
    channel,
    policy_sha256,
    ...(holds_code ? { holds_code } : {}),
    ...(intent.type === "join" ? { vip_chat_id } : {}),
  };
  if (!isDecision(intent) && !(needsCode(intent) && otp !== null)) {
    return await deps.database.call<Handled>("handle_update", { p_update: plain });
  }
  const prepared = preparedDecision.parse(
    await deps.database.call("prepare_decision", { p_update: plain }),
  );
  const p_update = otp !== null && prepared.required
    ? { ...plain, second_factor: await prove(deps, otp, prepared.second_factor) }
    : plain;
  return isDecision(intent)
    ? await deps.database.call<Handled>("decide", {
      p_update,
      p_signed: await sign(deps, intent.decision, prepared),
    })
    : await deps.database.call<Handled>("handle_update", { p_update });
}
