import { z } from "zod";
import { accessGrant } from "./access.ts";
import { orderSchema } from "./order.ts";
import { policyChange } from "./policy-change.ts";

/** An artifact that a conclusion rests on: by id, and by the checksum it had when it was read. */
export const evidenceRef = z.strictObject({
  artifact_id: z.string().min(1).max(128),
  node_id: z.string().min(1).max(64),
  checksum: z.string().regex(/^[0-9a-f]{64}$/),
  /** It was not looked up for this task: what was found before stood in for it. */
  stale: z.literal(true).optional(),
});
export type EvidenceRef = z.infer<typeof evidenceRef>;

const evidence = z.array(evidenceRef).max(32);
const text = z.string().max(65_536);

/** What a generic step hands on: words and where they come from. */
export const resultSchema = z.strictObject({ summary: text, text, evidence });
export type Result = z.infer<typeof resultSchema>;

/** What an irreversible action would do. Every figure is copied from the request; none is worked out. */
export const proposalSchema = z.strictObject({
  action: z.string().min(1).max(64),
  summary: text,
  text,
  figures: z.record(z.string().min(1).max(64), z.string().max(2000)),
  evidence,
  /** What a trade would order; the effect's payload is this and nothing else. */
  order: orderSchema.optional(),
  /** Whom a payment would let in; the effect's payload is this and nothing else. */
  grant: accessGrant.optional(),
  /** What a policy change would put in force; likewise. */
  policy: policyChange.optional(),
});
export type Proposal = z.infer<typeof proposalSchema>;
