export const approvalFlags = ["operator_approval", "owner_approval", "dry_run_required"] as const;
export type ApprovalFlag = typeof approvalFlags[number];

/** What the tokens of one tier ask for. `min_score` is null where no `critic>=` token stands. */
export interface Rule {
  min_score: number | null;
  flags: ApprovalFlag[];
}

export type RuleResult = { ok: true; rule: Rule } | { ok: false; reason: string };

// At most four decimals, as many as a score has: a finer threshold could never be met exactly.
const threshold = /^critic>=(0(?:\.\d{1,4})?|1(?:\.0{1,4})?)$/;

const isFlag = (token: string): token is ApprovalFlag =>
  (approvalFlags as readonly string[]).includes(token);

/**
 * The grammar of `approvals`: `critic>=0.8`, `operator_approval`, `owner_approval`, `dry_run_required`.
 * A token that is not understood refuses the whole rule, since skipping it would make the rule laxer.
 */
export function parseRule(tokens: readonly string[]): RuleResult {
  const rule: Rule = { min_score: null, flags: [] };
  for (const token of tokens) {
    const score = threshold.exec(token)?.[1];
    if (score !== undefined) {
      if (rule.min_score !== null) return { ok: false, reason: "two thresholds for the critic" };
      rule.min_score = Number(score);
    } else if (isFlag(token)) {
      if (rule.flags.includes(token)) return { ok: false, reason: `"${token}" stands twice` };
      rule.flags.push(token);
    } else {
      return { ok: false, reason: `unknown token ${JSON.stringify(token.slice(0, 60))}` };
    }
  }
  return { ok: true, rule };
}
