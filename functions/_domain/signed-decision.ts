import { z } from "zod";
import { sealedSeed } from "./second-factor.ts";

/** What a signature covers: which request, what was said, who in which role, over which bytes, when. */
export const decisionFields = z.object({
  code: z.string(),
  decision: z.enum(["approve", "reject"]),
  person: z.string(),
  role: z.string(),
  digest: z.string(),
  signed_at: z.iso.datetime({ precision: 3 }),
});
export type DecisionFields = z.infer<typeof decisionFields>;

/** As it is stored in `approvals.metadata.signature`. */
export const signedDecision = z.strictObject({
  ...decisionFields.shape,
  signature: z.string(),
  key_id: z.string(),
});
export type SignedDecision = z.infer<typeof signedDecision>;

/** The one text of a decision: RFC 8785, the same that `private.canonical_json` makes of these fields. */
export const decisionText = (
  { code, decision, digest, person, role, signed_at }: DecisionFields,
): string => JSON.stringify({ code, decision, digest, person, role, signed_at });

/** The answer of `api.prepare_decision`. */
export const preparedDecision = z.object({
  subject: z.object({
    code: z.string(),
    person_id: z.string(),
    role: z.string(),
    digest: z.string(),
    tier: z.string(),
  }).nullable(),
  second_factor: sealedSeed.nullable(),
  required: z.boolean(),
  signing_keys: z.array(z.string()),
});
export type PreparedDecision = z.infer<typeof preparedDecision>;
