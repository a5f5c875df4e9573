import { invalidPolicy, parsePolicy, type PolicyResult } from "./parse-policy.ts";
import { policySha256, policyText } from "./policy.generated.ts";

/** Parses an embedded text and holds it against the hash that was embedded with it. */
export async function readEmbedded(text: string, sha256: string): Promise<PolicyResult> {
  const result = await parsePolicy(text);
  if (result.ok && result.sha256 !== sha256) {
    return invalidPolicy("the embedded text and its hash differ; run npm run generate");
  }
  return result;
}

const bundled = readEmbedded(policyText, policySha256);

/**
 * The policy that this process was built with, read once: a changed file is a new process.
 * Where it is invalid the caller answers `policy_invalid`; there is nothing to fall back to.
 */
export const loadBundledPolicy = (): Promise<PolicyResult> => bundled;
