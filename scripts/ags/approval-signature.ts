import { z } from "zod";
import {
  type DecisionFields,
  decisionText,
  type SignedDecision,
  signedDecision,
} from "../../functions/_domain/signed-decision.ts";
import { isSignedBy } from "../../functions/_edge/signing.ts";

/** A row of `approvals` as an auditor reads it, with its request's code. */
export interface Approval {
  approval_id: string;
  task_id: string;
  approver: string;
  decision: string;
  person_id: string;
  role: string;
  digest: string;
  ts: string;
  code: string;
  /** The JSON of `metadata.signature`. */
  signature: string | null;
}

/** Public keys by their ids. */
export type Keys = ReadonlyMap<string, string>;

// The database takes a signature of up to half a minute before or after; the row is written within the same call.
const longestMs = 35_000;

/** Why a stored approval is not one that the platform signed as it stands there, or null. */
export async function signatureProblem(approval: Approval, keys: Keys): Promise<string | null> {
  if (approval.signature === null) return "it is not signed";
  const signed = read(approval.signature);
  if (signed === null) return "its signature is not readable";
  const { signature, key_id, ...fields } = signed;
  const key = keys.get(key_id);
  if (key === undefined) return `key ${key_id} is not among those that count`;
  if (!await isSignedBy(key, decisionText(fields), signature)) {
    return `key ${key_id} did not sign this`;
  }
  return difference(approval, fields);
}

function read(text: string): SignedDecision | null {
  try {
    return signedDecision.parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

function difference(approval: Approval, signed: DecisionFields): string | null {
  const stored: Omit<DecisionFields, "signed_at"> = {
    code: approval.code,
    decision: approval.decision as DecisionFields["decision"],
    person: approval.person_id,
    role: approval.role,
    digest: approval.digest,
  };
  const changed = (Object.keys(stored) as (keyof typeof stored)[])
    .filter((field) => stored[field] !== signed[field]);
  if (changed.length > 0) return `${changed.join(", ")}: signed for another one`;
  const apart = Math.abs(Date.parse(approval.ts) - Date.parse(signed.signed_at));
  return apart <= longestMs ? null : "its time is not that of the signature";
}
