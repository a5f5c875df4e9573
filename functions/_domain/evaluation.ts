import { z } from "zod";
import { parseReference } from "./reference.ts";
import { Refusal } from "./refusal.ts";

/**
 * The rubric: criterion → most marks it can give. `risk` counts the absence of a red flag, so 1 is clean;
 * the other way round the total could never reach 9.
 */
export const criteria = { policy: 1, evidence: 2, factuality: 3, clarity: 2, risk: 1 } as const;
export type Criterion = keyof typeof criteria;
export const criterionNames = Object.keys(criteria) as Criterion[];
export const totalMax = 9;

/** No score passes below this total, whatever the threshold. */
export const totalFloor = 7;

/**
 * The names in a critic request are not those of the rubric: this table is the mapping. Citing is part of being
 * factual; completeness is read in evidence and clarity, since the rubric has no criterion of its own for it.
 */
export const criteriaOfCheck = {
  policy: ["policy"],
  factuality: ["factuality", "evidence"],
  format: ["clarity"],
  risk: ["risk"],
} as const satisfies Record<string, readonly Criterion[]>;
export const checkNames = ["policy", "factuality", "format", "risk"] as const;
export type CheckName = (typeof checkNames)[number];

const mark = (most: number) => z.number().min(0).max(most);
const yesOrNo = z.int().min(0).max(1);
/** Policy and risk are yes or no; the other marks may be fractions. Text, null, NaN and infinities are no marks. */
export const rubricSchema = z.strictObject({
  policy: yesOrNo,
  evidence: mark(criteria.evidence),
  factuality: mark(criteria.factuality),
  clarity: mark(criteria.clarity),
  risk: yesOrNo,
});
export type Rubric = z.infer<typeof rubricSchema>;

export const checkSchema = z.strictObject({
  name: z.enum(checkNames),
  passed: z.boolean(),
  detail: z.string().max(2000),
});
export type Check = z.infer<typeof checkSchema>;

export const evaluationSchema = z.strictObject({
  critic: z.string().min(1).max(128),
  artifact_id: z.string().min(1).max(128),
  artifact_checksum: z.string().regex(/^[0-9a-f]{64}$/),
  rubric: rubricSchema,
  total: z.number().min(0).max(totalMax),
  score: z.number().min(0).max(1),
  checks: z.array(checkSchema).max(checkNames.length),
  red_flags: z.array(z.string().max(500)).max(64),
  threshold: z.number().min(0).max(1),
  verdict: z.enum(["pass", "fail"]),
  notes: z.array(z.string().max(500)).max(64),
});
export type Evaluation = z.infer<typeof evaluationSchema>;
export type Verdict = Evaluation["verdict"];

export const criticRequestSchema = z.strictObject({
  input_ref: z.string().refine((ref) => parseReference(ref) !== null, "no address of an object"),
  checks: z.array(z.enum(checkNames)).min(1)
    .refine((names) => new Set(names).size === names.length, "a check is named twice")
    .default([...checkNames]),
  /** Where the caller names none, the policy's `rubric.default_threshold` holds. */
  threshold: z.number().min(0).max(1).optional(),
});
export type CriticRequest = z.infer<typeof criticRequestSchema>;

/** A score's four decimals, as the database keeps them. It also removes what adding fractions leaves (0.1 + 0.2). */
export const round4 = (value: number): number => Math.round(value * 10_000) / 10_000;

/** Throws `score_out_of_range` for anything but five numbers within their ranges. */
export function readRubric(value: unknown): Rubric {
  const parsed = rubricSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new Refusal("score_out_of_range", `rubric ${path.join(".") || "as a whole"}: ${message}`);
}

export function total(rubric: Rubric): number {
  const marks = readRubric(rubric);
  return round4(criterionNames.reduce((sum, name) => sum + marks[name], 0));
}

export const score = (rubric: Rubric): number => round4(total(rubric) / totalMax);

/** A total of 7 as a score: what a tier without a threshold of its own must reach. */
export const floorScore = round4(totalFloor / totalMax);

/** Breaching the policy or raising a risk flag is a red flag: no other mark can make up for it. */
export const hasRedFlag = (rubric: Rubric): boolean => rubric.policy === 0 || rubric.risk === 0;

/** Both rules must hold: the rubric's floor and the threshold; and no red flag at all. */
export function verdict(rubric: Rubric, threshold: number, redFlags: readonly string[]): Verdict {
  if (!(threshold >= 0 && threshold <= 1)) {
    throw new Refusal("score_out_of_range", "the threshold lies outside 0 to 1");
  }
  const reached = total(rubric) >= totalFloor && score(rubric) >= threshold;
  return reached && redFlags.length === 0 && !hasRedFlag(rubric) ? "pass" : "fail";
}

/** One row per named check. A check passes on full marks: anything lost is for a person to see. */
export function checksOf(rubric: Rubric, reasons: Record<Criterion, string[]>): Check[] {
  return checkNames.map((name) => {
    const asked: readonly Criterion[] = criteriaOfCheck[name];
    const marks = asked.map((criterion) =>
      `${criterion} ${round4(rubric[criterion])} of ${criteria[criterion]}`
    );
    const lost = asked.flatMap((criterion) => reasons[criterion]);
    return {
      name,
      passed: asked.every((criterion) => rubric[criterion] >= criteria[criterion]),
      detail: [marks.join(", "), ...lost].join("; ").slice(0, 2000),
    };
  });
}
