import { readFileSync } from "node:fs";
import { parse, stringify } from "yaml";
import { parsePolicy, type PolicyResult } from "../../../functions/_policy/parse-policy.ts";
import type { Policy } from "../../../functions/_domain/policy.ts";

export const policyFile = new URL("../../../policies/policy.yaml", import.meta.url);
export const shippedText = readFileSync(policyFile, "utf8");

export async function shippedPolicy(): Promise<Policy> {
  const result = await parsePolicy(shippedText);
  if (!result.ok) throw new Error(result.reason);
  return result.policy;
}

// Tests break the file on purpose, so here it has no type.
// deno-lint-ignore no-explicit-any
type Loose = any;

/** The shipped policy with one change, parsed again from text. */
export function changed(change: (policy: Loose) => void): Promise<PolicyResult> {
  const policy = parse(shippedText);
  change(policy);
  return parsePolicy(stringify(policy, { aliasDuplicateObjects: false }));
}

export const reasonOf = (result: PolicyResult): string =>
  result.ok ? "(accepted)" : `${result.code}: ${result.reason}`;
